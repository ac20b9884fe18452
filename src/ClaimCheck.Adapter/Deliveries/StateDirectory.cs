using ClaimCheck.Records.Disk;

namespace ClaimCheck.Adapter.Deliveries;

/// <summary>
/// The adapter's state on disk: one process holds it at a time; each document is written under another name, flushed, and
/// renamed. Disposed with the process, which admits the next one.
/// </summary>
internal sealed class StateDirectory : IDisposable
{
    private const int NoSpace = 28; // ENOSPC
    private const int ReadOnly = 30; // EROFS
    private static readonly JsonSerializerOptions Json = new(ClaimCheckJson.Options) { WriteIndented = true };
    private readonly string path;
    private readonly FileStream held;

    private StateDirectory(string path, FileStream held) => (this.path, this.held) = (path, held);

    public string Cursors => Path.Combine(path, "cursors");

    /// <summary>Where files are saved while they are pushed.</summary>
    public string Work => Path.Combine(path, "work");

    /// <exception cref="CanNotStartException">It can't be written to, or another process holds it.</exception>
    public static StateDirectory Open(string path)
    {
        try
        {
            Durable.CreatePrivateFolder(path); // criteria may reveal more than others should know
            foreach (var folder in new[] { "deliveries", "routes", "cursors" })
                Directory.CreateDirectory(Path.Combine(path, folder));
            Durable.ProveLocks(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CanNotStartException($"Adapter:StateDirectory is {path}, but can't be used: {e.Message}", e);
        }

        try
        {
            var taken = new FileStream(Path.Combine(path, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            // What a process was writing when it was killed; nothing had followed from it yet.
            foreach (var folder in new[] { "deliveries", "routes" })
                Array.ForEach(Directory.GetFiles(Path.Combine(path, folder), "*.json.new"), File.Delete);
            return new(path, taken);
        }
        catch (Exception e) when (e is UnauthorizedAccessException || e.HResult is NoSpace or ReadOnly)
        {
            throw new CanNotStartException($"Adapter:StateDirectory is {path}, but can't be written to: {e.Message}", e);
        }
        catch (IOException e)
        {
            throw new CanNotStartException(
                $"Adapter:StateDirectory is {path}, but another process holds it: two adapters would deliver everything twice. "
                + "Stop it, or choose another directory.",
                e);
        }
    }

    public async Task<IReadOnlyList<DeliveryDocument>> LoadDeliveriesAsync(CancellationToken cancellationToken)
    {
        var documents = new List<DeliveryDocument>();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(path, "deliveries"), "*.json"))
        {
            if (await ReadAsync<DeliveryDocument>(file, cancellationToken) is { } document)
                documents.Add(document);
        }

        return documents;
    }

    public Task SaveAsync(DeliveryDocument document, CancellationToken cancellationToken) =>
        WriteAsync(PathOf(document.Id), document, cancellationToken);

    public void Delete(string id) => File.Delete(PathOf(id));

    public Task<RouteClock?> LoadClockAsync(string route, CancellationToken cancellationToken) =>
        ReadAsync<RouteClock>(ClockOf(route), cancellationToken);

    public Task SaveClockAsync(string route, RouteClock clock, CancellationToken cancellationToken) =>
        WriteAsync(ClockOf(route), clock, cancellationToken);

    public void Dispose() => held.Dispose();

    private string PathOf(string id) => Path.Combine(path, "deliveries", id + ".json");

    private string ClockOf(string route) => Path.Combine(path, "routes", route + ".json");

    /// <exception cref="CanNotStartException">The file is not what this version wrote: continuing without it would deliver
    /// twice.</exception>
    private static async Task<T?> ReadAsync<T>(string file, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(await File.ReadAllBytesAsync(file, cancellationToken), Json)
                ?? throw new JsonException("It is null.");
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new CanNotStartException(
                $"{file} can't be read, but is part of the adapter's state: move it away to discard its content. "
                + $"{(e is JsonException ? "It is not what this version writes." : e.Message)}",
                e);
        }
    }

    private static Task WriteAsync<T>(string file, T document, CancellationToken cancellationToken) =>
        Durable.ReplaceAsync(file, JsonSerializer.SerializeToUtf8Bytes(document, Json), cancellationToken);
}

/// <summary>Up to which moment a route's schedule has run.</summary>
/// <param name="Cron">The expression and time zone that it ran by: other ones begin anew.</param>
/// <param name="RanUntil">The last moment that was processed.</param>
/// <param name="LastFireAt">The last moment that triggered an export, or null.</param>
internal sealed record RouteClock(string Cron, DateTimeOffset RanUntil, DateTimeOffset? LastFireAt);
