using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.Adapter.Tests.Tables;

/// <summary>The adapter dies, or the source takes the batch back, while records are being loaded.</summary>
public sealed class Interrupted_loads
{
    // Each row waits for the gate, and leaves a trace in the transaction that it is loaded in.
    private const string Traced = """
        CREATE TABLE items (id bigint PRIMARY KEY, name text, batch uuid);
        CREATE TABLE loaded (id bigint);
        CREATE TABLE gate (upto bigint);
        INSERT INTO gate VALUES (750);
        CREATE FUNCTION trace() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            -- Until the test has seen what it waits for.
            WHILE NEW.id > (SELECT upto FROM gate) AND NEW.name IS DISTINCT FROM 'mine' LOOP PERFORM pg_sleep(0.01); END LOOP;
            INSERT INTO loaded VALUES (NEW.id);
            RETURN NULL;
        END $$;
        CREATE TRIGGER trace AFTER INSERT OR UPDATE ON items FOR EACH ROW EXECUTE FUNCTION trace();
        """;

    [Fact]
    public async Task After_a_kill_go_on_at_the_checkpoint_and_load_each_record_once()
    {
        await using var scene = await TableScene.CreateAsync(Traced, items: 3000, more: ("ChunkSize", 100));
        await scene.Adapter.StartAsync();
        var id = await scene.AskAsync();
        for (var life = 1; life <= 2; life++)
        {
            var least = life * 700;
            await Eventually.TrueAsync(async () => await scene.ScalarAsync<long>("SELECT count(*) FROM loaded") >= least);
            await scene.Adapter.KillAsync();
            await scene.SqlAsync($"UPDATE gate SET upto = {(life == 1 ? 1450 : 3000)}");
            await scene.Adapter.StartAsync();
        }

        var delivered = await scene.Adapter.BecomesAsync(id, "delivered");

        Assert.Contains("continues at", scene.Adapter.Adapter.Log, StringComparison.Ordinal);
        Assert.Equal(3000, (long)delivered["outcomes"]!["succeeded"]!);
        Assert.Equal(3000, await scene.ScalarAsync<long>("SELECT count(*) FROM loaded"));
        Assert.Equal(3000, await scene.ScalarAsync<long>("SELECT count(DISTINCT id) FROM loaded"));
        Assert.Equal(3000, (await scene.ReceiptAsync(TableScene.BatchOf(delivered), ReceiptState.Completed)).Succeeded);
    }

    [Theory]
    [InlineData("ar-3", true)]
    [InlineData("ar-4", true)]
    [InlineData("ar-3", false)]
    public async Task End_with_the_revocation_and_what_was_loaded_goes_or_stays(string pattern, bool deletes)
    {
        await using var scene = await TableScene.CreateAsync(
            Traced + "INSERT INTO items VALUES (2, 'mine', NULL), (9999, 'mine', NULL)", pattern, items: 5000,
            ("ChunkSize", 100), ("BatchColumn", "batch"), ("OnRevoked", deletes ? "delete" : "keep"));
        await scene.Adapter.StartAsync();
        var id = await scene.AskAsync();
        await Eventually.TrueAsync(async () => await scene.ScalarAsync<long>("SELECT count(*) FROM loaded") >= 500);
        var batch = TableScene.BatchOf(await scene.Adapter.GetAsync($"/exports/{id}"));

        await scene.Adapter.Client.RevokeAsync(batch, "wrong month");

        var revoked = await scene.Adapter.BecomesAsync(id, "revoked");
        await scene.SqlAsync("UPDATE gate SET upto = 9999");
        var left = await scene.ScalarAsync<long>("SELECT count(*) FROM items WHERE batch IS NOT NULL");
        Assert.Equal(1, await scene.ScalarAsync<long>("SELECT count(*) FROM items WHERE id = 9999"));
        var loaded = await scene.ScalarAsync<long>("SELECT count(*) FROM loaded WHERE id <> 9999");
        Assert.InRange(loaded, 500, 4900);
        Assert.Equal(deletes ? 0 : loaded - 1, left); // the one that was there left a trace too
        if (deletes)
            Assert.InRange((long)revoked["recordsDeleted"]!, 500, 4900);
        else
            Assert.Null(revoked["recordsDeleted"]);
        await scene.ReceiptAsync(batch, ReceiptState.Discarded);
    }

    [Fact]
    public async Task A_batch_that_is_revoked_after_it_was_loaded_is_taken_out_again()
    {
        await using var scene = await TableScene.CreateAsync(
            TableScene.Items + "; ALTER TABLE items ADD batch text", more: [("BatchColumn", "batch"), ("OnRevoked", "delete")]);
        await scene.Adapter.StartAsync();
        var first = await scene.LoadAsync();
        var second = await scene.LoadAsync(new { least = 900 });

        await scene.Adapter.Client.RevokeAsync(TableScene.BatchOf(first));

        var revoked = await scene.Adapter.BecomesAsync((string)first["id"]!, "revoked");
        Assert.Equal(899, (long)revoked["recordsDeleted"]!);
        Assert.Equal(
            101, await scene.ScalarAsync<long>($"SELECT count(*) FROM items WHERE batch = '{TableScene.BatchOf(second)}'"));
    }
}
