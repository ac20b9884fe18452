namespace ClaimCheck.Service.Sources;

/// <summary>A connection of an export's own to its source, and the bypass of its records, if any.</summary>
internal sealed class SourceConnection : IAsyncDisposable
{
    // GSS encryption, and the view that tells of it.
    private const int FirstWithGss = 12;

    private bool isEncrypted;

    private SourceConnection(NpgsqlConnection sql, CopyBypass? bypass)
    {
        (Sql, Bypass) = (sql, bypass);
        // Called when the server has agreed to encrypt, and before anything is.
        sql.SslClientAuthenticationOptionsCallback = _ => isEncrypted = true;
    }

    public NpgsqlConnection Sql { get; }

    public CopyBypass? Bypass { get; }

    public static Task<SourceConnection> OpenAsync(NpgsqlDataSource source, CancellationToken cancellationToken) =>
        OpenAsync(source, null, cancellationToken);

    /// <summary>Opens another one to the same server, with a bypass.</summary>
    /// <returns>Null where that can't be: the connection is encrypted, or signing in depends on the server's name.</returns>
    public async Task<SourceConnection?> BypassingAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        if (isEncrypted || await IsGssEncryptedAsync(cancellationToken)
            || Sql.Host is not { Length: > 0 } host || CopyBypass.For(host, Sql.Port) is not { } bypass)
            return null;
        try
        {
            return await OpenAsync(source, bypass, cancellationToken);
        }
        catch (Exception e) when (SourceErrors.IsSourceError(e))
        {
            return null; // opened directly, it succeeds, or says why not
        }
    }

    /// <summary>Begins a transaction of one snapshot: another session's, or one of its own.</summary>
    /// <remarks>In statements of their own. The driver's transactions are begun together with their first statement, and until
    /// the server has answered the first of both, the driver ignores a cancellation. Behind an exhausted pooler, that answer may
    /// never come.</remarks>
    public async Task BeginAsync(string? snapshot, CancellationToken cancellationToken)
    {
        await ExecuteAsync("BEGIN ISOLATION LEVEL REPEATABLE READ", cancellationToken);
        if (snapshot is not null)
            await ExecuteAsync($"SET TRANSACTION SNAPSHOT '{snapshot}'", cancellationToken);
    }

    public Task RollBackAsync(CancellationToken cancellationToken) => ExecuteAsync("ROLLBACK", cancellationToken);

    private static async Task<SourceConnection> OpenAsync(
        NpgsqlDataSource source, CopyBypass? bypass, CancellationToken cancellationToken)
    {
        var opened = new SourceConnection(await NewAsync(source, bypass, cancellationToken), bypass);
        try
        {
            await opened.Sql.OpenAsync(cancellationToken);
            return opened;
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
    }

    private async Task ExecuteAsync(string statement, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(statement, Sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<bool> IsGssEncryptedAsync(CancellationToken cancellationToken)
    {
        if (Sql.PostgreSqlVersion.Major < FirstWithGss)
            return false;
        await using var command = new NpgsqlCommand(
            "SELECT encrypted FROM pg_catalog.pg_stat_gssapi WHERE pid = pg_backend_pid()", Sql);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    // It was only read: closing rolls the transaction back.
    public async ValueTask DisposeAsync()
    {
        await Sql.DisposeAsync();
        Bypass?.Dispose();
    }

    // Npgsql's command timeout would end a query that sorts for longer before its first row: the statement timeout limits it
    // instead. Keep-alive probes find a source that vanishes.
    private static async Task<NpgsqlConnection> NewAsync(
        NpgsqlDataSource source, CopyBypass? bypass, CancellationToken cancellationToken)
    {
        await using var pooled = source.CreateConnection();
        var way = new NpgsqlConnectionStringBuilder(source.ConnectionString)
        {
            Pooling = false,
            CommandTimeout = 0,
            TcpKeepAlive = true,
            // COPY needs none of the source's own types, and with them Npgsql refuses a result with an array of a domain over an
            // array.
#pragma warning disable CS0618 // the option belongs to builders of data sources now, but this is a clone of another connection
            ServerCompatibilityMode = ServerCompatibilityMode.NoTypeLoading,
#pragma warning restore CS0618
            ReadBufferSize = 128 << 10,
        };
        if (bypass is not null)
        {
            (way.Host, way.Port) = (bypass.Host, CopyBypass.Port);
            // Within the process. The way from here to the server is one that was found not to be encrypted.
            (way.SslMode, way.GssEncryptionMode) = (SslMode.Disable, GssEncryptionMode.Disable);
            way.ReadBufferSize = 8 << 10;
        }

        return await pooled.CloneWithAsync(way.ConnectionString, cancellationToken);
    }
}
