using ClaimCheck.Service.Catalog;
using ClaimCheck.Testing;
using Dapper;
using Npgsql;

namespace ClaimCheck.Service.Tests.States;

public sealed class Transactions_of_the_catalog
{
    [Fact]
    public async Task A_transaction_that_is_disposed_twice_leaves_the_next_one_alone()
    {
        // One physical connection, so that the second transaction is sure to be on the first one's.
        var address =
            new NpgsqlConnectionStringBuilder(await PostgresServer.NewDatabaseAsync()) { MaxPoolSize = 1 }.ConnectionString;
        await using var catalog = NpgsqlDataSource.Create(address);
        var first = await Transaction.BeginAsync(catalog, default);
        await first.Connection.ExecuteAsync(first.Command("SELECT 1", null, default));
        await first.DisposeAsync();

        await using (var second = await Transaction.BeginAsync(catalog, default))
        {
            await second.Connection.ExecuteAsync(second.Command("CREATE TABLE kept (id integer)", null, default));
            await first.DisposeAsync();
            await second.Connection.ExecuteAsync(second.Command("INSERT INTO kept VALUES (1)", null, default));
            await second.CommitAsync(default);
        }

        await using var connection = await catalog.OpenConnectionAsync();
        Assert.Equal(1, await connection.ExecuteScalarAsync<long>("SELECT count(*) FROM kept"));
    }
}
