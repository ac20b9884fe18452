using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace ClaimCheck.LocalPostgres;

/// <summary>
/// The roles that a program works as in its private Postgres. None is a superuser, so that a statement with a fault in it can
/// read neither files nor other databases. The superuser makes databases and roles, at start alone.
/// </summary>
public static class ServerRoles
{
    /// <summary>
    /// Creates what is missing of a database and its roles, and transfers what an earlier version's superuser created there.
    /// </summary>
    /// <param name="postgres">Where.</param>
    /// <param name="database">It is made where it is missing.</param>
    /// <param name="owner">The role that owns it: a constant of the program, of lower-case letters and '_'.</param>
    /// <param name="reader">A role that may read it, such a constant too, or null.</param>
    /// <param name="cancellationToken">Gives up; what is missing then is created at the next start.</param>
    public static async Task PrepareAsync(
        PrivatePostgres postgres, string database, string owner, string? reader, CancellationToken cancellationToken)
    {
        await postgres.EnsureDatabaseAsync(database, cancellationToken);
        var superuser = new NpgsqlConnectionStringBuilder(postgres.ConnectionString(database)) { Pooling = false };
        await using var connection = new NpgsqlConnection(superuser.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await EnsureAsync(connection, owner, superuser.Password!, cancellationToken);
        await HandOverAsync(connection, database, owner, cancellationToken);
        if (reader is null)
            return;
        await EnsureAsync(connection, reader, superuser.Password!, cancellationToken);
        await MayReadAsync(connection, reader, database, cancellationToken);
    }

    /// <summary>A role's connection string for a database. It contains the password: keep it out of logs.</summary>
    public static string ConnectionString(PrivatePostgres postgres, string database, string role)
    {
        var way = new NpgsqlConnectionStringBuilder(postgres.ConnectionString(database));
        (way.Username, way.Password) = (role, PasswordOf(role, way.Password!));
        return way.ConnectionString;
    }

    // Each role's password is derived from the superuser's: there is one secret file.
    private static string PasswordOf(string role, string password) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(password), Encoding.UTF8.GetBytes(role)));

    // A role that may sign in and nothing else.
    private static Task EnsureAsync(
        NpgsqlConnection connection, string role, string password, CancellationToken cancellationToken) =>
        RunAsync(
            connection,
            $$"""
            DO $do$
            BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{{role}}') THEN
                    CREATE ROLE {{role}};
                END IF;
            END
            $do$;
            ALTER ROLE {{role}} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
                PASSWORD '{{PasswordOf(role, password)}}';
            """,
            cancellationToken);

    // Every table of the databases that it may connect to.
    private static Task MayReadAsync(
        NpgsqlConnection connection, string role, string database, CancellationToken cancellationToken) =>
        RunAsync(connection, $"GRANT pg_read_all_data TO {role}; GRANT CONNECT ON DATABASE {Quoted(database)} TO {role};",
            cancellationToken);

    // Versions before 0.2 worked as the superuser. Once everything is transferred, this finds nothing.
    private static Task HandOverAsync(
        NpgsqlConnection connection, string database, string role, CancellationToken cancellationToken) =>
        RunAsync(
            connection,
            $$"""
            DO $do$
            DECLARE
                item text;
            BEGIN
                FOR item IN
                    SELECT format('SCHEMA %I', n.nspname) AS named, 0 AS step
                      FROM pg_namespace n
                     WHERE n.nspowner = current_user::regrole AND n.nspname !~ '^(pg_|information_schema$|public$)'
                     UNION ALL
                    SELECT format('%s %I.%I',
                                  CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                                       WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
                                  n.nspname, c.relname), 1
                      FROM pg_class c
                      JOIN pg_namespace n ON n.oid = c.relnamespace
                     WHERE c.relowner = current_user::regrole AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
                       AND n.nspname !~ '^(pg_|information_schema$)'
                       -- A sequence of a column goes with its table.
                       AND NOT EXISTS (SELECT FROM pg_depend d
                                        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i'))
                     UNION ALL
                    SELECT format('FUNCTION %s', p.oid::regprocedure), 2
                      FROM pg_proc p
                      JOIN pg_namespace n ON n.oid = p.pronamespace
                     WHERE p.proowner = current_user::regrole AND n.nspname !~ '^(pg_|information_schema$)'
                     ORDER BY step
                LOOP
                    EXECUTE format('ALTER %s OWNER TO {{role}}', item);
                END LOOP;
            END
            $do$;
            ALTER DATABASE {{Quoted(database)}} OWNER TO {{role}};
            REVOKE CONNECT, TEMPORARY ON DATABASE {{Quoted(database)}} FROM PUBLIC;
            GRANT ALL ON SCHEMA public TO {{role}};
            """,
            cancellationToken);

    private static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        // Definitions take no parameters: roles are constants, names are quoted, passwords are hexadecimal.
#pragma warning disable CA2100
        await using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
