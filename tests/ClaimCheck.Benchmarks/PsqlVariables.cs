using System.Diagnostics;
using Npgsql;

namespace ClaimCheck.Benchmarks;

internal static class PsqlVariables
{
    /// <summary>Names the database that psql is to open.</summary>
    public static ProcessStartInfo WithPsqlAt(this ProcessStartInfo start, string database)
    {
        var address = new NpgsqlConnectionStringBuilder(database);
        start.Environment["PGHOST"] = address.Host;
        start.Environment["PGPORT"] = $"{address.Port}";
        start.Environment["PGUSER"] = address.Username;
        start.Environment["PGPASSWORD"] = address.Password;
        start.Environment["PGDATABASE"] = address.Database;
        return start;
    }
}
