using Quartz;

namespace ClaimCheck.Adapter.Routes;

/// <summary>How a route is triggered, and how it learns about its batches.</summary>
internal enum Pattern
{
    /// <summary>AR-1: on a schedule; looks for the batch itself.</summary>
    ScheduledPolling = 1,

    /// <summary>AR-2: on a schedule or triggered from outside; waits for BulkReady.</summary>
    ScheduledEvents = 2,

    /// <summary>AR-3: on demand of a consumer system; waits for BulkReady, and notifies.</summary>
    OnDemandEvents = 3,

    /// <summary>AR-4: on demand of a consumer system; looks for the batch itself, and answers when asked.</summary>
    OnDemandPolling = 4,
}

/// <summary>Where a route without events looks for its batch.</summary>
internal enum WaitKind
{
    /// <summary>At the link to the manifest's future place, which the service answers a request with.</summary>
    Staging,

    /// <summary>At the service: the export's state.</summary>
    Status,

    /// <summary>In a folder or SFTP directory that serves the staging's own layout.</summary>
    Path,
}

/// <summary>Where a route's events come from.</summary>
/// <param name="QueueUrl">The queue, or null for the service's event feed.</param>
internal sealed record EventSource(string? QueueUrl);

/// <summary>The consumer system that a route notifies.</summary>
internal sealed record NotifyTarget(Uri Url, string Secret)
{
    public override string ToString() => Url.Host;
}

/// <summary>The destination of a route's batches.</summary>
internal abstract record Destination;

/// <summary>A shared location, and the folder of each batch there.</summary>
internal sealed record LocationDestination(LocationOptions Location, FolderTemplate Folder) : Destination
{
    public override string ToString() => "location";
}

/// <summary>One checked route: what is requested, when, and where it is delivered.</summary>
internal sealed record Route
{
    public required string Name { get; init; }

    public required Pattern Pattern { get; init; }

    public required string Dataset { get; init; }

    public required IReadOnlyDictionary<string, JsonElement> Criteria { get; init; }

    public string? Format { get; init; }

    public string? Compression { get; init; }

    public CronExpression? Cron { get; init; }

    public WaitKind Wait { get; init; }

    public LocationOptions? WaitAt { get; init; }

    public EventSource? Events { get; init; }

    /// <summary>Whether batches that other clients requested are delivered too.</summary>
    public bool AcceptsAny { get; init; }

    public required IReadOnlyList<string> Callers { get; init; }

    public required Destination Destination { get; init; }

    public NotifyTarget? Notify { get; init; }

    public bool IsOnDemand => Pattern is Pattern.OnDemandEvents or Pattern.OnDemandPolling;

    /// <summary>Who may request exports here; a key that no route names may use all.</summary>
    public bool IsFor(string caller) => Callers.Count == 0 || Callers.Contains(caller, StringComparer.Ordinal);

    /// <summary>The request to the service.</summary>
    /// <param name="more">Criteria of the caller, in addition to the route's own.</param>
    public ExportRequest Request(IReadOnlyDictionary<string, JsonElement>? more = null)
    {
        var criteria = new SortedDictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var (name, value) in Criteria.Concat(more ?? new Dictionary<string, JsonElement>()))
            criteria[name] = value;
        return new() { Dataset = Dataset, Criteria = criteria, Format = Format, Compression = Compression };
    }

    public override string ToString() => Name;
}
