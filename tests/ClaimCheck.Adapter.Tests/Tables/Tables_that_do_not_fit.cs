namespace ClaimCheck.Adapter.Tests.Tables;

/// <summary>The start says what is wrong with a table, or with what is said of it.</summary>
public sealed class Tables_that_do_not_fit
{
    [Fact]
    public async Task Stop_the_start_with_the_reason()
    {
        (string Table, string Reason)[] cases =
        [
            ("CREATE TABLE items (id bigint, name text)", "no unique index or constraint over exactly (id)"),
            ("CREATE TABLE items (id bigint, name text); CREATE UNIQUE INDEX ON items (id) WHERE id > 5",
                "no unique index or constraint over exactly (id)"),
            ("CREATE TABLE items (id bigint, name text, UNIQUE (id, name))", "no unique index or constraint over exactly (id)"),
            ("CREATE TABLE items (id bigint UNIQUE DEFERRABLE, name text)", "no unique index or constraint over exactly (id)"),
            ("CREATE TABLE items (id bigint PRIMARY KEY)", "it has no column 'name' for the dataset's 'name'"),
            ("CREATE TABLE items (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text)",
                "its column 'id' is generated always"),
            ("CREATE TABLE items (id bigint PRIMARY KEY, name text, more text NOT NULL)",
                "its column 'more' does not allow NULL and has no default"),
            ("CREATE TABLE others (id bigint PRIMARY KEY)", "the table does not exist"),
        ];
        await using var scene = await TableScene.CreateAsync("", items: 1);
        foreach (var (table, reason) in cases)
        {
            await scene.SqlAsync("DROP TABLE IF EXISTS items, others; " + table);
            await RefusesAsync(scene, reason);
        }
    }

    [Fact]
    public async Task And_so_do_settings()
    {
        (string Name, string Value, string Reason)[] cases =
        [
            ("OnRevoked", "delete", "BatchColumn is not set"),
            ("OnConflict", "merge", "must be one of update, ignore"),
            ("Table", "items; DROP TABLE items", "must be a table's name"),
            ("ConnectionString", "warehouse", "ConnectionStrings does not have that name"),
            ("ConnectionString", "Host=a;Password=secret;Nonsense=1", "is not a connection string of Npgsql"),
            ("Folder", "{batchId}", "records are loaded into it, and no files are written"),
            ("BatchColumn", "name", "is one that the dataset is loaded into"),
            ("BatchColumn", "when", "must be a column of type text, varchar or uuid"),
            ("Key", "name", "no unique index or constraint over exactly (name)"),
        ];
        await using var scene = await TableScene.CreateAsync(
            "CREATE TABLE items (id bigint PRIMARY KEY, name text, \"when\" timestamptz)", items: 1);
        foreach (var (name, value, reason) in cases)
        {
            var before = (string?)scene.Destination[name];
            scene.Destination[name] = value;
            await RefusesAsync(scene, reason);
            if (before is null)
                scene.Destination.Remove(name);
            else
                scene.Destination[name] = before;
        }
    }

    [Fact]
    public async Task A_connection_has_a_name_and_a_database_that_is_away_stops_nothing()
    {
        await using var scene = await TableScene.CreateAsync(TableScene.Items);
        scene.Destination["ConnectionString"] = "warehouse";
        scene.Adapter.Set("ConnectionStrings__warehouse", scene.Database);
        var (code, output) = await scene.Adapter.RunAsync("--check");
        Assert.True(code == 0, output);
        Assert.Contains("table items", output, StringComparison.Ordinal);

        scene.Adapter.Set("ConnectionStrings__warehouse", "Host=127.0.0.1;Port=1;Username=nobody;Database=nothing");
        (code, output) = await scene.Adapter.RunAsync("--check");
        Assert.Equal(2, code);
        await scene.Adapter.StartAsync();
        Assert.Contains("is not known yet", scene.Adapter.Adapter.Log, StringComparison.Ordinal);
    }

    private static async Task RefusesAsync(TableScene scene, string reason)
    {
        var (code, output) = await scene.Adapter.RunAsync("--urls", "http://127.0.0.1:0");
        Assert.True(code == 1, $"It started, though {reason}.");
        Assert.Contains(reason, output, StringComparison.Ordinal);
        Assert.DoesNotContain("Password", output, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("secret", output, StringComparison.OrdinalIgnoreCase);
    }
}
