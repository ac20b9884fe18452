using System.Net.Sockets;
using System.Reflection;
using System.Security.Authentication;
using ClaimCheck.Consumer.Databases;
using ClaimCheck.Testing;
using Npgsql;

namespace ClaimCheck.Service.Tests.Catalog;

/// <summary>The table from SQLSTATE to code, text and hint, and what the driver alone says.</summary>
public sealed class What_a_database_says
{
    // Success and warnings, and conditions of SQL that no statement of ours meets.
    private static readonly HashSet<string> NoFailures = ["00", "01", "02", "03", "0B", "0F", "0Z", "20", "24", "2D", "34"];

    private static IEnumerable<string> States => typeof(PostgresErrorCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Where(known => known.IsLiteral).Select(known => (string)known.GetRawConstantValue()!)
        .Where(state => !NoFailures.Contains(state[..2]));

    [Fact]
    public void Every_state_that_PostgreSQL_knows_has_a_text_of_its_own_or_its_classes()
    {
        var general = DatabaseFailure.Of("ZZZZZ").Meaning;
        Assert.True(States.Count() > 150);
        Assert.All(States, state =>
        {
            var failure = DatabaseFailure.Of(state);
            Assert.NotSame(general, failure.Meaning);
            Assert.Contains($"(SQLSTATE {state})", failure.Text, StringComparison.Ordinal);
            Assert.Equal(failure.Code.ToLowerInvariant(), failure.Code);
        });
        Assert.All(DatabaseStates.Known.Concat(DatabaseStates.Classes), entry =>
        {
            Assert.EndsWith(".", entry.Value.Text, StringComparison.Ordinal);
            Assert.True(entry.Value.Hint.Length == 0 || entry.Value.Hint.EndsWith('.'), entry.Key);
            Assert.Equal(entry.Key.Length == 5, DatabaseStates.Known.ContainsKey(entry.Key));
        });
        // Each known state means more than its class.
        Assert.All(DatabaseStates.Known, entry =>
            Assert.NotEqual(DatabaseStates.Classes.GetValueOrDefault(entry.Key[..2]), entry.Value));
        Assert.Equal("The database refuses it. (SQLSTATE ZZZZZ)", DatabaseFailure.Of("ZZZZZ").Text);
    }

    [Theory]
    [InlineData("28P01", "wrong_password", "password authentication failed")]
    [InlineData("28000", "sign_in_refused", "refused the sign-in")]
    [InlineData("3D000", "database_missing", "no database of that name")]
    [InlineData("25006", "read_only", "read-only")]
    [InlineData("25P03", "idle_in_transaction_timeout", "idle in a transaction")]
    [InlineData("25P04", "transaction_timeout", "transaction_timeout")]
    [InlineData("57P05", "idle_session_timeout", "idle for too long")]
    [InlineData("55P03", "lock_not_available", "stayed locked")]
    [InlineData("42501", "insufficient_privilege", "permission denied")]
    [InlineData("22021", "character_not_in_repertoire", "not characters of its encoding")]
    [InlineData("22P05", "untranslatable_character", "encoding does not have")]
    [InlineData("53100", "disk_full", "disk is full")]
    [InlineData("53300", "too_many_connections", "too many connections")]
    [InlineData("54000", "program_limit_exceeded", "too large")]
    public void States_that_operators_meet_are_named_and_say_what_to_do(string state, string code, string text)
    {
        var failure = DatabaseFailure.Of(state);
        Assert.Equal(code, failure.Code);
        Assert.Contains(text, failure.Text, StringComparison.Ordinal);
        Assert.NotEmpty(failure.Meaning.Hint);
    }

    [Fact]
    public void What_the_driver_alone_says_is_told_apart_too()
    {
        Assert.Equal("host_unknown", Of(new SocketException((int)SocketError.HostNotFound)));
        Assert.Equal("connection_refused", Of(new NpgsqlException("x", new SocketException((int)SocketError.ConnectionRefused))));
        Assert.Equal(
            "network_unreachable", Of(new NpgsqlException("x", new SocketException((int)SocketError.NetworkUnreachable))));
        Assert.Equal("timeout", Of(new NpgsqlException("x", new TimeoutException())));
        Assert.Equal("timeout", Of(new TimeoutException()));
        Assert.Equal("tls_failed", Of(new NpgsqlException("x", new AuthenticationException())));
        Assert.Equal("connection_ended", Of(new NpgsqlException("x", new EndOfStreamException())));
        Assert.Equal("connection_ended", Of(
            new NpgsqlException("x", new IOException("y", new SocketException((int)SocketError.ConnectionReset)))));
        Assert.Equal("password_missing", Of(
            new NpgsqlException("No password has been provided but the backend requires one (in SASL/SCRAM-SHA-256)")));
        Assert.Equal("unreachable", Of(new NpgsqlException("x")));

        static string Of(Exception e) => DatabaseFailure.Of(e).Code;
    }

    [Fact]
    public async Task The_servers_own_words_are_passed_on_only_where_they_can_not_quote_anything()
    {
        var database = await PostgresServer.NewDatabaseAsync();
        await Scene.SqlAsync(database, """
            CREATE FUNCTION refuse(state text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'secret' USING ERRCODE = state; END $$;
            """);
        Assert.Contains(
            "The server said: relation \"gone\" does not exist.", await TextAsync("SELECT FROM gone"), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", await TextAsync("SELECT 'secret'::int"), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", await TextAsync("SELECT secret secret secret"), StringComparison.Ordinal);
        foreach (var state in DatabaseStates.Known.Keys.Where(state => !state.StartsWith("57P", StringComparison.Ordinal)))
        {
            // A function may raise any state with any words.
            var text = await TextAsync($"SELECT refuse('{state}')");
            Assert.Contains(state, text, StringComparison.Ordinal);
            Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
        }

        async Task<string> TextAsync(string sql) =>
            DatabaseFailure.Of(await Assert.ThrowsAsync<PostgresException>(() => Scene.SqlAsync(database, sql))).Text;
    }
}
