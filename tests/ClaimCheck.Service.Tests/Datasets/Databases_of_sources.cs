using ClaimCheck.Service.Sources;
using ClaimCheck.Testing;
using Dapper;
using Npgsql;

namespace ClaimCheck.Service.Tests.Datasets;

public sealed class Databases_of_sources : IAsyncLifetime, IAsyncDisposable
{
    private readonly DatasetScene scene = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await scene.DisposeAsync();

    ValueTask IAsyncDisposable.DisposeAsync() => scene.DisposeAsync();

    [Fact]
    public async Task A_session_writes_values_the_same_way_whatever_the_database_says()
    {
        var database = await PostgresServer.NewDatabaseAsync();
        var name = new NpgsqlConnectionStringBuilder(database).Database;
        await using (var administrator = new NpgsqlConnection(database))
        {
            await administrator.ExecuteAsync($"ALTER DATABASE {name} SET TimeZone = 'Asia/Tokyo'");
            await administrator.ExecuteAsync($"ALTER DATABASE {name} SET DateStyle = 'German'");
            await administrator.ExecuteAsync($"ALTER DATABASE {name} SET bytea_output = 'escape'");
            await administrator.ExecuteAsync($"ALTER DATABASE {name} SET standard_conforming_strings = off");
        }

        scene.With(
            "ConnectionStrings:shop",
            database + ";Timezone=Europe/Berlin;Application Name=other;Options=-c DateStyle=German -c statement_timeout=77s");
        await using var connection = await scene.Sources().Get("shop").OpenConnectionAsync();
        Assert.Equal("77s", await Shown("statement_timeout")); // the operator's own
        await using var transaction = await BeginAsync(connection, rowSecurity: false);

        async Task<string?> Shown(string setting) => await connection.ExecuteScalarAsync<string>($"SHOW {setting}");
        Assert.Equal("UTC", await Shown("TimeZone"));
        Assert.Equal("ISO, DMY", await Shown("DateStyle")); // the order is the operator's own
        Assert.Equal("iso_8601", await Shown("IntervalStyle"));
        Assert.Equal("1", await Shown("extra_float_digits"));
        Assert.Equal("hex", await Shown("bytea_output"));
        Assert.Equal("UTF8", await Shown("client_encoding"));
        Assert.Equal("C", await Shown("lc_monetary"));
        Assert.Equal("off", await Shown("row_security"));
        Assert.Equal("on", await Shown("standard_conforming_strings"));
        Assert.Equal("claimcheck export", await Shown("application_name"));
        Assert.Equal("7s", await Shown("statement_timeout"));
        await transaction.DisposeAsync();
        Assert.Equal("77s", await Shown("statement_timeout"));
    }

    [Fact]
    public async Task A_source_can_not_be_written_to()
    {
        scene.With("ConnectionStrings:shop", await PostgresServer.NewDatabaseAsync());
        await using var connection = await scene.Sources().Get("shop").OpenConnectionAsync();
        await using var transaction = await BeginAsync(connection, rowSecurity: true);

        Assert.Equal("on", await connection.ExecuteScalarAsync<string>("SHOW row_security"));
        var refusal = await Assert.ThrowsAsync<PostgresException>(() => connection.ExecuteAsync("CREATE TABLE t ()"));
        Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, refusal.SqlState);
    }

    [Fact]
    public void A_source_has_one_pool_and_a_configured_one_goes_before_a_registered_one()
    {
        scene.With("ConnectionStrings:shop", "Host=configured");
        var sources = scene.Sources();
        sources.Register("shop", "Host=registered", "Host=registered");
        sources.Register("sample", "Host=registered", "Host=registered");

        Assert.Same(sources.Get("shop"), sources.Get("shop"));
        Assert.Contains("Host=configured", sources.Get("shop").ConnectionString, StringComparison.Ordinal);
        Assert.Contains("Host=registered", sources.Get("sample").ConnectionString, StringComparison.Ordinal);
        Assert.Equal("source_unavailable", Assert.Throws<SourceException>(() => sources.Get("other")).Code);
    }

    private static async Task<NpgsqlTransaction> BeginAsync(NpgsqlConnection connection, bool rowSecurity)
    {
        var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        await new SourceSettings(TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(7), rowSecurity)
            .ApplyAsync(connection, CancellationToken.None);
        return transaction;
    }
}
