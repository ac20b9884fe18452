using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Sources;
using ClaimCheck.Service.Startup;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ClaimCheck.Service.Tests.Catalog;

/// <summary>Passwords and tokens are replaced while the service runs; what runs is not disturbed.</summary>
public sealed class Passwords_that_rotate : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("claimcheck-passwords-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_connection_string_that_changes_gets_a_pool_of_its_own_and_the_old_one_serves_who_has_it()
    {
        var database = await PostgresServer.NewDatabaseAsync();
        var way = await PostgresServer.NewSignedRoleAsync(database, "first");
        var right = way.ConnectionString;
        way.Password = "wrong";
        var configuration = Configuration(("ConnectionStrings:shop", way.ConnectionString));
        await using var sources = new SourceDatabases(configuration, TimeProvider.System);
        Assert.Equal(PostgresErrorCodes.InvalidPassword, await SignInAsync(sources.Get("shop")));
        configuration["ConnectionStrings:shop"] = right;
        Assert.Null(await SignInAsync(sources.Get("shop")));

        var before = sources.Get("shop");
        await using var running = await before.OpenConnectionAsync();
        await Scene.SqlAsync(database, $"ALTER ROLE {way.Username} PASSWORD 'second'");
        way.Password = "second";
        configuration["ConnectionStrings:shop"] = way.ConnectionString;
        Assert.NotSame(before, sources.Get("shop"));
        Assert.Same(sources.Get("shop"), sources.Get("shop"));
        Assert.Null(await SignInAsync(sources.Get("shop")));
        Assert.Null(await SignInAsync(sources.GetForWriting("shop")));
        await using var still = new NpgsqlCommand("SELECT 1", running);
        Assert.Equal(1, await still.ExecuteScalarAsync());
        await running.CloseAsync();
        await Eventually.TrueAsync(async () => await SessionsAsync(database, way.Username!, "claimcheck export") == 1);
    }

    [Fact]
    public async Task A_password_file_is_read_again_and_a_wrong_one_at_once()
    {
        var database = await PostgresServer.NewDatabaseAsync();
        var way = await PostgresServer.NewSignedRoleAsync(database, "first");
        way.Password = "what the string says does not count";
        var file = Path.Combine(folder, "password");
        var configuration = Configuration(
            ("ConnectionStrings:shop", way.ConnectionString), ("ClaimCheck:Sources:shop:PasswordFile", file));
        await using var sources = new SourceDatabases(configuration, TimeProvider.System);

        var failure = await Assert.ThrowsAsync<SourceException>(() => OpenAsync(sources));
        Assert.Equal(("source_unavailable", true), (failure.Code, failure.IsTransient));
        Assert.Contains("password file", failure.Message, StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, "wrong\n");
        Assert.Contains("password authentication failed",
            (await Assert.ThrowsAsync<SourceException>(() => OpenAsync(sources))).Message, StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, "first\n");
        await (await OpenAsync(sources)).DisposeAsync();
        Assert.Null(await SignInAsync(sources.GetForWriting("shop")));

        await using var running = await OpenAsync(sources);
        await File.WriteAllTextAsync(file, "second");
        await Scene.SqlAsync(database, $"ALTER ROLE {way.Username} PASSWORD 'second'");
        // The one that had been taken may be offered once more.
        await Eventually.TrueAsync(async () => await SignsInAsync(sources));
        await running.CheckAsync(CancellationToken.None);

        configuration["ClaimCheck:Sources:shop:PasswordRefresh"] = "soon";
        Assert.Contains("PasswordRefresh is 'soon'", Assert.Throws<SourceException>(() => sources.Get("shop")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_that_runs_goes_on_when_a_wrong_password_is_put_right()
    {
        await using var scene = await Scene.CreateAsync(10);
        var way = await PostgresServer.NewSignedRoleAsync(scene.Source, "right");
        var file = Path.Combine(folder, "source");
        await File.WriteAllTextAsync(file, "wrong");
        way.Password = null;
        scene.Settings["ConnectionStrings__source"] = way.ConnectionString;
        var process = await scene.StartServiceAsync(("ClaimCheck__Sources__source__PasswordFile", file));
        using var api = new ApiClient(process.NewHttp());

        var refused = await api.PostAsync("/v1/exports", """{ "dataset": "items" }""");
        Assert.Equal((503, "source_unavailable"), (refused.Status, refused.Json.Text("code")));
        Assert.Contains("password authentication failed", refused.Json.Text("detail"), StringComparison.Ordinal);
        Assert.DoesNotContain(way.Username!, refused.Text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, "right\n");
        await Eventually.TrueAsync(async () => (await api.PostAsync("/v1/exports", """{ "dataset": "items" }""")).Status == 202);
        Assert.Equal("ready", (await api.ReadyAsync("""{ "dataset": "items" }""")).Text("state"));
    }

    [Fact]
    public async Task The_catalogs_password_is_looked_up_for_each_connection()
    {
        var database = await PostgresServer.NewDatabaseAsync();
        var way = await PostgresServer.NewSignedRoleAsync(database, "first");
        var settings = Path.Combine(folder, "appsettings.json");
        await WriteAsync();
        var configuration = new ConfigurationBuilder().AddJsonFile(settings, optional: false, reloadOnChange: false).Build();
        await using (var catalog = new CatalogDatabase(configuration, NullLogger<CatalogDatabase>.Instance))
        {
            await catalog.OpenAsync(CancellationToken.None);
            await using var running = await catalog.DataSource.OpenConnectionAsync();
            await Scene.SqlAsync(database, $"ALTER ROLE {way.Username} PASSWORD 'second'");
            catalog.DataSource.Clear();
            Assert.Equal(PostgresErrorCodes.InvalidPassword, await SignInAsync(catalog.DataSource));
            way.Password = "second";
            await WriteAsync();
            configuration.Reload(); // as the host does when the file changes
            Assert.Null(await SignInAsync(catalog.DataSource));
            await using var still = new NpgsqlCommand("SELECT 1", running);
            Assert.Equal(1, await still.ExecuteScalarAsync());
        }

        var file = Path.Combine(folder, "catalog");
        way.Password = null;
        await WriteAsync();
        configuration.Reload();
        configuration["ClaimCheck:Catalog:PasswordFile"] = file;
        await using (var catalog = new CatalogDatabase(configuration, NullLogger<CatalogDatabase>.Instance))
        {
            Assert.Contains(
                "password file",
                (await Assert.ThrowsAsync<StartupException>(() => catalog.OpenAsync(CancellationToken.None))).Message,
                StringComparison.Ordinal);
            await File.WriteAllTextAsync(file, "third");
            Assert.Contains(
                "password authentication failed",
                (await Assert.ThrowsAsync<StartupException>(() => catalog.OpenAsync(CancellationToken.None))).Message,
                StringComparison.Ordinal);
            await File.WriteAllTextAsync(file, "second\r\n");
            await catalog.OpenAsync(CancellationToken.None);
            Assert.Null(await SignInAsync(catalog.DataSource));
        }

        Task WriteAsync() =>
            File.WriteAllTextAsync(settings, $$"""{ "ConnectionStrings": { "Catalog": "{{way.ConnectionString}}" } }""");
    }

    [Fact]
    public async Task Encryption_by_GSS_is_off_unless_it_is_asked_for()
    {
        var configuration = Configuration(
            ("ConnectionStrings:usual", "Host=a;Password=p"), ("ConnectionStrings:asked", "Host=a;GSS Encryption Mode=Prefer"));
        await using var sources = new SourceDatabases(configuration, TimeProvider.System);
        foreach (var get in (Func<string, NpgsqlDataSource>[])[sources.Get, sources.GetForWriting])
        {
            Assert.Equal(
                GssEncryptionMode.Disable, new NpgsqlConnectionStringBuilder(get("usual").ConnectionString).GssEncryptionMode);
            Assert.Equal(
                GssEncryptionMode.Prefer, new NpgsqlConnectionStringBuilder(get("asked").ConnectionString).GssEncryptionMode);
        }

        await using var catalog = new CatalogDatabase(
            Configuration(("ConnectionStrings:Catalog", await PostgresServer.NewDatabaseAsync())),
            NullLogger<CatalogDatabase>.Instance);
        await catalog.OpenAsync(CancellationToken.None);
        Assert.Equal(
            GssEncryptionMode.Disable, new NpgsqlConnectionStringBuilder(catalog.DataSource.ConnectionString).GssEncryptionMode);
    }

    private static Task<SourceSession> OpenAsync(SourceDatabases sources) =>
        SourceSession.OpenAsync(() => sources.Get("shop"),
            new(TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1), RowSecurity: true), CancellationToken.None);

    private static async Task<bool> SignsInAsync(SourceDatabases sources)
    {
        try
        {
            await (await OpenAsync(sources)).DisposeAsync();
            return true;
        }
        catch (SourceException)
        {
            return false;
        }
    }

    // Null, or the SQLSTATE.
    private static async Task<string?> SignInAsync(NpgsqlDataSource source)
    {
        try
        {
            await using var connection = await source.OpenConnectionAsync();
            return null;
        }
        catch (PostgresException e)
        {
            return e.SqlState;
        }
    }

    private static Task<long> SessionsAsync(string database, string user, string application) =>
        Scene.ScalarAsync<long>(
            database, $"SELECT count(*) FROM pg_stat_activity WHERE usename = '{user}' AND application_name = '{application}'");

    private static IConfigurationRoot Configuration(params (string Name, string Value)[] settings) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(settings.ToDictionary(each => each.Name, each => (string?)each.Value)).Build();
}
