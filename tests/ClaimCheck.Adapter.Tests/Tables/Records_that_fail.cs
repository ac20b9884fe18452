using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.Adapter.Tests.Tables;

/// <summary>Some records can't be loaded, terminally or transiently: the others are, and all outcomes add up.</summary>
public sealed class Records_that_fail
{
    [Theory]
    [InlineData("ar-3")]
    [InlineData("ar-4")]
    public async Task Stay_out_with_a_reason_and_what_failed_for_now_comes_in_the_retry(string pattern)
    {
        // For now means: until the first batch has ended.
        await using var scene = await TableScene.CreateAsync(
            """
            CREATE TABLE items (id bigint PRIMARY KEY, name text, CONSTRAINT no_thousands CHECK (id % 1000 <> 0));
            CREATE FUNCTION busy() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NEW.id % 1000 = 500 AND NOT EXISTS (SELECT FROM claimcheck.inbox_batches WHERE state = 'settled') THEN
                    RAISE SQLSTATE '40001';
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER busy BEFORE INSERT OR UPDATE ON items FOR EACH ROW EXECUTE FUNCTION busy();
            """,
            pattern, items: 5000, ("ChunkSize", 1800));
        await scene.Adapter.StartAsync();

        var delivered = await scene.LoadAsync();
        Assert.Equal((4990, 5, 5), ((long)delivered["outcomes"]!["succeeded"]!, (long)delivered["outcomes"]!["transient"]!,
            (long)delivered["outcomes"]!["terminal"]!));

        // The retry is a delivery of its own, and its outcomes are folded into the batch's receipt.
        var batch = TableScene.BatchOf(delivered);
        await Eventually.TrueAsync(async () => await scene.ScalarAsync<long>("SELECT count(*) FROM items") == 4995);
        var receipt = await Eventually.NotNullAsync(async () =>
            (await scene.Adapter.Client.GetReceiptsAsync(batch)).Items.SingleOrDefault(
                each => each is { State: ReceiptState.PartiallyFailed, Transient: 0 }));
        Assert.Equal((4995, 0, 5), (receipt.Succeeded, receipt.Transient, receipt.Terminal));
        var failures = (await scene.Adapter.Client.GetFailuresPageAsync(batch, "billing")).Items;
        Assert.Equal(
            ["1000", "2000", "3000", "4000", "5000"],
            failures.Where(each => each.Class == FailureClass.Terminal).Select(each => each.Key).Order(StringComparer.Ordinal));
        Assert.All(failures.Where(each => each.Class == FailureClass.Terminal), each =>
        {
            Assert.Equal("check_violation", each.Code);
            Assert.Contains("no_thousands", each.Message!, StringComparison.Ordinal);
        });
        var retry = Assert.Single(await scene.Adapter.ExportsAsync(), each => each["retryOf"] is not null);
        Assert.Equal(batch.ToString(), (string)retry["retryOf"]!);
        await scene.Adapter.BecomesAsync((string)retry["id"]!, "delivered");
    }

    [Fact]
    public async Task Deferred_constraints_fail_the_record_at_fault_alone()
    {
        await using var scene = await TableScene.CreateAsync(
            """
            CREATE TABLE names (name text PRIMARY KEY);
            INSERT INTO names SELECT 'item ' || g || ' é😀' FROM generate_series(1, 2000) g WHERE g <> 9;
            CREATE TABLE items (id bigint PRIMARY KEY, name text REFERENCES names DEFERRABLE INITIALLY DEFERRED);
            """,
            items: 20);
        await scene.Adapter.StartAsync();

        var delivered = await scene.LoadAsync();

        // Empty and quoted names have no match either.
        var expected = await Scene.ScalarAsync<long>(
            scene.Adapter.Scene.Source, "SELECT count(*) FROM items WHERE name IS NULL OR (name LIKE 'item%' AND id <> 9)");
        Assert.Equal(expected, (long)delivered["outcomes"]!["succeeded"]!);
        Assert.Equal(20 - expected, (long)delivered["outcomes"]!["terminal"]!);
        var failures = (await Eventually.NotNullAsync(async () =>
        {
            var page = await scene.Adapter.Client.GetFailuresPageAsync(TableScene.BatchOf(delivered), "billing");
            return page.Items.Count > 0 ? page : null;
        })).Items;
        Assert.All(failures, each => Assert.Equal("foreign_key_violation", each.Code));
    }

    [Fact]
    public async Task None_fails_where_the_table_is_at_fault_and_the_batch_goes_on_once_it_is_mended()
    {
        await using var scene = await TableScene.CreateAsync(TableScene.Items);
        await scene.Adapter.StartAsync();
        await scene.SqlAsync("ALTER TABLE items RENAME TO elsewhere");

        var id = await scene.AskAsync();
        await Eventually.TrueAsync(
            () => Task.FromResult(scene.Adapter.Adapter.Log.Contains("table_mismatch", StringComparison.Ordinal)));
        await scene.SqlAsync("ALTER TABLE elsewhere RENAME TO items");

        var delivered = await scene.Adapter.BecomesAsync(id, "delivered");
        Assert.Equal(1000, (long)delivered["outcomes"]!["succeeded"]!);
    }
}
