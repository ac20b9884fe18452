using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ClaimCheck.Service.Http;

/// <summary>Settings below <c>ClaimCheck:Http</c>.</summary>
internal sealed class HttpOptions : IValidatableObject
{
    public const string Section = "ClaimCheck:Http";

    /// <summary>How many connections one process holds at a time; more are closed at once.</summary>
    public int MaxConnections { get; init; } = 20_000;

    /// <summary>The largest record, in bytes as it is stored before compression, that a page of records accepts: a page is built
    /// in memory, where a record may take six times as much.</summary>
    [Range(4 << 20, 128 << 20)]
    public int MaxPageRecordBytes { get; init; } = 32 << 20;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MaxConnections < 1)
            yield return new(
                $"{Section}:{nameof(MaxConnections)} is {MaxConnections}, but must be 1 or more: nobody could connect.");
    }
}

/// <summary>The server's limit on connections, and its log lines. Each takes a socket, buffers and perhaps an open file: beyond
/// the limit the server closes new ones before a byte is read, so that existing ones continue.</summary>
internal sealed partial class ConnectionLimit(HttpOptions options, ILogger<ConnectionLimit> logger)
{
    private int open;
    private int isSaid;

    public void Apply(KestrelServerOptions kestrel)
    {
        kestrel.Limits.MaxConcurrentConnections = options.MaxConnections;
        kestrel.Limits.MaxConcurrentUpgradedConnections = options.MaxConnections;
    }

    /// <summary>Counts the connections of an endpoint.</summary>
    public void Watch(ListenOptions endpoint) => endpoint.Use(next => connection => CountAsync(next, connection));

    // Logged once when the limit is reached, and again only after a tenth has gone: a line for each refused connection would be a
    // flood itself.
    private async Task CountAsync(ConnectionDelegate next, ConnectionContext connection)
    {
        if (Interlocked.Increment(ref open) >= options.MaxConnections && Interlocked.Exchange(ref isSaid, 1) == 0)
            Log.Reached(logger, options.MaxConnections);
        try
        {
            await next(connection);
        }
        finally
        {
            if (Interlocked.Decrement(ref open) <= options.MaxConnections * 9L / 10 && Interlocked.Exchange(ref isSaid, 0) == 1)
                Log.Left(logger, options.MaxConnections);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "All {MaxConnections} connections that ClaimCheck:Http:MaxConnections allows are open: "
            + "more are closed at once until some of them end.")]
        public static partial void Reached(ILogger logger, int maxConnections);

        [LoggerMessage(
            LogLevel.Information, "Fewer than the {MaxConnections} connections allowed are open: new ones are accepted again.")]
        public static partial void Left(ILogger logger, int maxConnections);
    }
}
