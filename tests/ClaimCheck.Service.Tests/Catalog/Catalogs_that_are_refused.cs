using ClaimCheck.Testing;
using Npgsql;

namespace ClaimCheck.Service.Tests.Catalog;

/// <summary>What would break silently later stops the start, with a line that says what to do.</summary>
public sealed class Catalogs_that_are_refused
{
    [Fact]
    public async Task A_pooler_that_shares_sessions_before_the_catalog_is_refused()
    {
        await using var scene = await Scene.CreateAsync(1);
        await using var pooler = await TransactionPooler.BeforeAsync(scene.Catalog);
        scene.Settings["ConnectionStrings__Catalog"] = pooler.ConnectionString;

        var (code, output) = await ServiceProcess.RunAsync(scene.Settings);

        Assert.Equal(1, code);
        Assert.Contains(
            "claimcheck: ConnectionStrings:Catalog leads to a pooler that shares one session", output, StringComparison.Ordinal);
        Assert.Contains("pool_mode = session", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_source_behind_such_a_pooler_is_read()
    {
        await using var scene = await Scene.CreateAsync(10);
        await using var pooler = await TransactionPooler.BeforeAsync(scene.Source);
        await using var run = await Exporting.ExportRun.OnAsync(
            new NpgsqlConnectionStringBuilder(pooler.ConnectionString) { NoResetOnClose = true }.ConnectionString);
        Assert.Equal("1,7\n2,7\n", await run.TextAsync("SELECT id, 7 AS n FROM items WHERE id < 3 ORDER BY id"));
    }

    [Fact]
    public async Task A_catalog_that_refuses_the_password_or_takes_no_writes_is_said_in_one_line()
    {
        await using var scene = await Scene.CreateAsync(1);
        var way = await PostgresServer.NewSignedRoleAsync(scene.Catalog, "right");
        way.Password = "wrong";
        scene.Settings["ConnectionStrings__Catalog"] = way.ConnectionString;
        var (code, output) = await ServiceProcess.RunAsync(scene.Settings);
        Assert.Equal(1, code);
        Assert.Contains("The server refused the password: password authentication failed.", output, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong", output, StringComparison.Ordinal);

        await Scene.SqlAsync(scene.Catalog, $"ALTER DATABASE \"{way.Database}\" SET default_transaction_read_only = on");
        scene.Settings["ConnectionStrings__Catalog"] = scene.Catalog;
        (code, output) = await ServiceProcess.RunAsync(scene.Settings);
        Assert.Equal(1, code);
        Assert.Contains(
            "The catalog can't be used: The database or the transaction is read-only", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }
}
