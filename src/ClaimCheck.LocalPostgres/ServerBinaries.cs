using System.Text.RegularExpressions;

namespace ClaimCheck.LocalPostgres;

/// <summary>A PostgreSQL server installed on this machine.</summary>
internal sealed partial record ServerBinaries(string Folder, int Major)
{
    /// <summary>The oldest version that PostgreSQL still supports.</summary>
    private const int OldestMajor = 14;

    /// <summary>Where distributions put the server, which is seldom on the PATH. One star each, for the version.</summary>
    private static readonly string[] UsualFolders =
    [
        "/usr/lib/postgresql/*/bin", // Debian, Ubuntu
        "/usr/pgsql-*/bin", // PGDG's packages for Fedora and its relatives
        "/usr/libexec/postgresql*", // Alpine
        "/opt/homebrew/opt/postgresql*/bin",
        "/usr/local/opt/postgresql*/bin",
        "/Applications/Postgres.app/Contents/Versions/*/bin",
        "/usr/local/pgsql*/bin",
    ];

    public string Initdb => Path.Combine(Folder, "initdb");

    public string PgCtl => Path.Combine(Folder, "pg_ctl");

    private string Server => Path.Combine(Folder, "postgres");

    /// <summary>The folders of the PATH, then the usual ones, newest version first.</summary>
    public static IReadOnlyList<string> SearchList() =>
    [
        .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Where(Path.IsPathRooted),
        .. UsualFolders.SelectMany(Expand),
    ];

    /// <param name="searchList">Folders, in order of preference.</param>
    /// <param name="account">The account that must be able to run them.</param>
    /// <param name="data">The existing data's folder and major version: only the same version can read
    /// them. Null for none.</param>
    /// <param name="cancellationToken">Stops the search.</param>
    /// <exception cref="LocalPostgresException">None was found, or none that fits.</exception>
    public static async Task<ServerBinaries> FindAsync(
        IReadOnlyList<string> searchList,
        ServerAccount account,
        (string Folder, int Major)? data,
        CancellationToken cancellationToken)
    {
        var unfit = new SortedSet<int>();
        foreach (var folder in searchList.Distinct())
        {
            if (await ProbeAsync(folder, account, cancellationToken) is not { } found)
                continue;
            if (data is { } made ? found.Major == made.Major : found.Major >= OldestMajor)
                return found;
            unfit.Add(found.Major);
        }

        if (data is { } old && unfit.Count > 0)
        {
            throw new LocalPostgresException(
                $"The database in {old.Folder} was made by PostgreSQL {old.Major}, but this machine has "
                + $"{string.Join(", ", unfit)}: install PostgreSQL {old.Major} beside it, or set ClaimCheck:DataDirectory to "
                + "another folder to start with an empty one.");
        }

        var lacking = unfit.Count > 0
            ? $"PostgreSQL {unfit.Max} is too old, {OldestMajor} or newer is needed"
            : "No PostgreSQL server was found on this machine";
        throw new LocalPostgresException(
            $"{lacking}: install it (Debian, Ubuntu: apt-get install postgresql; Fedora: dnf install postgresql-server; "
            + "Alpine: apk add postgresql; macOS: brew install postgresql@17), or set ConnectionStrings:Catalog "
            + "to a database of your own.");
    }

    private static async Task<ServerBinaries?> ProbeAsync(
        string folder, ServerAccount account, CancellationToken cancellationToken)
    {
        var binaries = new ServerBinaries(folder, 0);
        if (!File.Exists(binaries.Server) || !File.Exists(binaries.Initdb) || !File.Exists(binaries.PgCtl))
            return null;
        var version = await account.RunAsync([binaries.Server, "--version"], pgData: null, cancellationToken);
        return version.Succeeded && Version().Match(version.Output) is { Success: true } match
            ? binaries with { Major = int.Parse(match.Groups["major"].Value, CultureInfo.InvariantCulture) }
            : null;
    }

    private static IEnumerable<string> Expand(string pattern)
    {
        var parts = pattern.Split('/');
        var star = Array.FindIndex(parts, part => part.Contains('*'));
        var parent = string.Join('/', parts[..star]);
        if (!Directory.Exists(parent))
            return [];
        return Directory.GetDirectories(parent, parts[star])
            .OrderByDescending(folder => Number().Match(Path.GetFileName(folder)) is { Success: true } number
                ? double.Parse(number.Value, CultureInfo.InvariantCulture)
                : 0)
            .Select(folder => Path.Combine([folder, .. parts[(star + 1)..]]));
    }

    [GeneratedRegex(@"PostgreSQL\) (?<major>\d+)", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Version();

    [GeneratedRegex(@"\d+(\.\d+)?", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Number();
}
