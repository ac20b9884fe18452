namespace ClaimCheck.Service.Catalog;

/// <summary>Makes sure that a connection to the catalog is a session of its own. Advisory locks and LISTEN belong to sessions:
/// behind a pooler that lends sessions per transaction, two processes would hold one lock, and no signal would arrive.</summary>
internal static class CatalogSession
{
    private const int Looks = 3;

    // A pid alone may be equal on two servers.
    private const string Session =
        "SELECT pid || ' ' || backend_start FROM pg_catalog.pg_stat_activity WHERE pid = pg_backend_pid()";

    /// <exception cref="StartupException">Connections share sessions, or change them.</exception>
    public static async Task CheckAsync(NpgsqlDataSource catalog, CancellationToken cancellationToken)
    {
        try
        {
            await using var one = await catalog.OpenConnectionAsync(cancellationToken);
            await using var other = await catalog.OpenConnectionAsync(cancellationToken);
            var known = (One: await ShownAsync(one, cancellationToken), Other: await ShownAsync(other, cancellationToken));
            for (var look = 1; ; look++)
            {
                if (known.One == known.Other)
                    throw Shared();
                if (look == Looks)
                    return;
                // Alternately: a session that one has given back is lent to the other.
                if (await ShownAsync(one, cancellationToken) != known.One
                    || await ShownAsync(other, cancellationToken) != known.Other)
                    throw Shared();
            }
        }
        catch (Exception e) when (CatalogErrors.IsTransient(e) || e is NpgsqlException)
        {
            throw new StartupException(CatalogErrors.Explain(e), e);
        }
    }

    private static async Task<string?> ShownAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Session, connection);
        return (string?)await command.ExecuteScalarAsync(cancellationToken);
    }

    private static StartupException Shared() => new(
        "ConnectionStrings:Catalog leads to a pooler that shares one session of the database between connections (transaction or "
        + "statement pooling). The catalog needs sessions of its own, for locks and signals: name the database itself, or a "
        + "pooler's port with pool_mode = session.");
}
