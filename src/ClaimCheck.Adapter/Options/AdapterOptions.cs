namespace ClaimCheck.Adapter.Options;

/// <summary>The section <c>Adapter</c>, as it is written. <see cref="OptionsReader"/> checks it.</summary>
internal sealed class AdapterOptions
{
    public const string Section = "Adapter";

    /// <summary>The service's address.</summary>
    public string? Service { get; set; }

    /// <summary>The key for the service; or <see cref="ApiKeyFile"/>.</summary>
    public string? ApiKey { get; set; }

    public string? ApiKeyFile { get; set; }

    /// <summary>
    /// The name under which the service knows this consumer: its receipts, and the events that are for it alone.
    /// </summary>
    public string? Consumer { get; set; }

    public string? StateDirectory { get; set; }

    /// <summary>Hosts that links may lead to, besides the service's own.</summary>
    public List<string> AllowedLinkHosts { get; set; } = [];

    /// <summary>Who may call the adapter: a name, and a key of 32 characters or more.</summary>
    public Dictionary<string, string> ApiKeys { get; set; } = new(StringComparer.Ordinal);

    /// <summary>True where a proxy in front of the adapter ends TLS, so that keys may arrive here by plain http.</summary>
    public bool BehindTls { get; set; }

    /// <summary>Deliveries that are pushed at once.</summary>
    public int Parallelism { get; set; } = 2;

    /// <summary>How long the adapter keeps a delivery after its end.</summary>
    public TimeSpan StateRetention { get; set; } = TimeSpan.FromDays(30);

    /// <summary>The lifetime of links that the adapter sends to consumer systems.</summary>
    public TimeSpan LinkLifetime { get; set; } = TimeSpan.FromHours(1);

    public PollingOptions Polling { get; set; } = new();

    public RetryOptions Retry { get; set; } = new();

    public Dictionary<string, RouteOptions> Routes { get; set; } = new(StringComparer.Ordinal);
}

/// <summary>How often the adapter polls where it is not notified.</summary>
internal sealed class PollingOptions
{
    /// <summary>The first delay between two looks for a batch; it grows to <see cref="LongestInterval"/>.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(2);

    public TimeSpan LongestInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How often the service is asked in addition, where a route waits for a file or an event: those never report a failure, or
    /// may get lost.
    /// </summary>
    public TimeSpan StatusInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How often routes without events ask whether a delivered batch was revoked.</summary>
    public TimeSpan RevocationInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How many such requests are sent per second, whatever the number of deliveries.</summary>
    public double RevocationChecksPerSecond { get; set; } = 5;
}

/// <summary>One route, as it is written.</summary>
internal sealed class RouteOptions
{
    /// <summary><c>ar-1</c> to <c>ar-4</c>, or <c>import</c>.</summary>
    public string? Pattern { get; set; }

    public string? Dataset { get; set; }

    /// <summary>Names and values are the dataset's; <see cref="CriteriaReader"/> reads them, as JSON.</summary>
    public object? Criteria { get; set; }

    public string? Format { get; set; }

    public string? Compression { get; set; }

    public string? Cron { get; set; }

    public string? TimeZone { get; set; }

    /// <summary><c>feed</c> or <c>sqs</c>.</summary>
    public string? Events { get; set; }

    public string? QueueUrl { get; set; }

    /// <summary><c>own</c>, or <c>any</c>: also the batches of the dataset that other clients requested.</summary>
    public string? Accept { get; set; }

    /// <summary><c>staging</c>, <c>status</c>, <c>folder</c> or <c>sftp</c>.</summary>
    public string? Wait { get; set; }

    /// <summary>Where the operator serves the staging folder, for <c>folder</c> and <c>sftp</c>.</summary>
    public LocationOptions? WaitAt { get; set; }

    /// <summary>Names of <see cref="AdapterOptions.ApiKeys"/>; none means all.</summary>
    public List<string> Callers { get; set; } = [];

    public DestinationOptions? Destination { get; set; }

    public NotifyOptions? Notify { get; set; }

    /// <summary>For <c>import</c>: what is watched, and where its records are sent.</summary>
    public ImportOptions? Import { get; set; }
}

/// <summary>Where a route's files are delivered.</summary>
internal sealed class DestinationOptions
{
    /// <summary>The kind of the destination; <c>location</c> or <c>table</c>.</summary>
    public string Kind { get; set; } = "location";

    public LocationOptions? Location { get; set; }

    /// <summary>The folder of each batch there; by default <see cref="FolderTemplate.Default"/>.</summary>
    public string? Folder { get; set; }

    /// <summary>
    /// For a table: its Postgres, as a connection string of Npgsql, or the name of one of <c>ConnectionStrings</c>.
    /// </summary>
    public string? ConnectionString { get; set; }

    /// <summary><c>shop.orders</c>; parts that are not plain are in double quotes.</summary>
    public string? Table { get; set; }

    /// <summary>
    /// The dataset's columns that are loaded, and the table's columns for them; all, under their own names, by default.
    /// </summary>
    public Dictionary<string, string> Columns { get; set; } = new(StringComparer.Ordinal);

    /// <summary>The table's columns that name a record, separated by commas; by default the one for the dataset's key.</summary>
    public string? Key { get; set; }

    /// <summary><c>update</c> or <c>ignore</c>.</summary>
    public string? OnConflict { get; set; }

    /// <summary>The most records of a transaction; a chunk does not go beyond its block.</summary>
    public int? ChunkSize { get; set; }

    /// <summary>The table's column that says which batch loaded a record last.</summary>
    public string? BatchColumn { get; set; }

    /// <summary><c>keep</c> or <c>delete</c>.</summary>
    public string? OnRevoked { get; set; }

    /// <summary>Whether the service is asked to export transient failures again.</summary>
    public bool? RetryTransient { get; set; }

    /// <summary>How long a batch stays with a silent process: its lease.</summary>
    public TimeSpan? Lease { get; set; }
}

/// <summary>The consumer system to notify.</summary>
internal sealed class NotifyOptions
{
    public string? Url { get; set; }

    /// <summary><c>whsec_…</c>.</summary>
    public string? Secret { get; set; }
}
