using Npgsql;

namespace ClaimCheck.Service.Exporting;

/// <summary>The databases that datasets read from: <c>ConnectionStrings:{source}</c>, one pool each.</summary>
internal sealed class SourceDatabases(IConfiguration configuration) : IAsyncDisposable
{
    /// <summary>The pool of a source.</summary>
    /// <exception cref="ExportFailedException">No such connection string (any more): <c>source_unavailable</c>.</exception>
    public NpgsqlDataSource Get(string source) => throw new NotSupportedException(configuration[source]);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
