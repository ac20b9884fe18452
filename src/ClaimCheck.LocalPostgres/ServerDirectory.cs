using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace ClaimCheck.LocalPostgres;

/// <summary>
/// Where the private Postgres keeps its files: a private folder of the account that runs it. It is
/// <c>postgres/</c> in the data directory; where the account can't enter that, it is below <c>/var/tmp</c>,
/// and <c>postgres.location</c> in the data directory says where.
/// </summary>
internal sealed partial class ServerDirectory
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>A socket's path is limited to 107 bytes (103 on macOS), with <c>/.s.PGSQL.5432.lock</c> in it.</summary>
    private const int LongestSocketFolder = 80;

    private readonly string dataDirectory;

    private ServerDirectory(string dataDirectory, string home, ServerAccount account) =>
        (this.dataDirectory, Home, Account) = (dataDirectory, home, account);

    public string Home { get; }

    public ServerAccount Account { get; }

    /// <summary>Postgres' own data directory. It appears by a rename, so where it exists it is complete.</summary>
    public string Data => Path.Combine(Home, "data");

    /// <summary>The server's output before its own log is open; the rest is in <c>data/log/</c>.</summary>
    public string StartLog => Path.Combine(Home, "start.log");

    public string PasswordFile => Path.Combine(Home, "password");

    /// <summary>The version of the existing data; null for none.</summary>
    public (string Folder, int Major)? Existing =>
        Directory.Exists(Data)
        && int.TryParse(File.ReadAllText(Path.Combine(Data, "PG_VERSION")), CultureInfo.InvariantCulture, out var major)
            ? (Data, major)
            : null;

    private string FarSocketFolder => $"/tmp/claimcheck-{Fingerprint(dataDirectory)}";

    [UnsupportedOSPlatform("windows")]
    public static async Task<ServerDirectory> OpenAsync(string dataDirectory, CancellationToken cancellationToken)
    {
        var account = await ServerAccount.ChooseAsync(cancellationToken);
        var nearby = Path.Combine(dataDirectory, "postgres");
        if (Directory.Exists(nearby))
        {
            // Data of a service that was not root stay with its user.
            var owner = account.IsOwn ? null : await OwnerAsync(nearby, cancellationToken);
            if (owner is > 0 && owner != account.Uid)
                account = await ServerAccount.OwningAsync(owner.Value, nearby, cancellationToken);
            if (!await account.CanEnterAsync(dataDirectory, cancellationToken))
            {
                throw new LocalPostgresException(
                    $"{nearby} holds a database, but the user {account.Name}, who runs it, can't enter {dataDirectory} (any "
                    + "more): open the folders above it, or set ClaimCheck:DataDirectory to another folder.");
            }
        }
        else if (!await account.CanEnterAsync(dataDirectory, cancellationToken))
        {
            return new ServerDirectory(dataDirectory, await ElsewhereAsync(dataDirectory, account, cancellationToken), account);
        }

        Directory.CreateDirectory(nearby, Private);
        await account.TakeAsync(nearby, cancellationToken);
        return new ServerDirectory(dataDirectory, nearby, account);
    }

    /// <summary>A folder for the socket: beside the data if the path is short and plain enough, else below <c>/tmp</c>.</summary>
    [UnsupportedOSPlatform("windows")]
    public async Task<string> SocketFolderAsync(CancellationToken cancellationToken)
    {
        // Plain, because both Postgres and Npgsql read commas in it as lists.
        var folder = Path.Combine(Home, "run");
        if (Encoding.UTF8.GetByteCount(folder) <= LongestSocketFolder && PlainPath().IsMatch(folder))
        {
            Directory.CreateDirectory(folder, Private);
            await Account.TakeAsync(folder, cancellationToken);
        }
        else
        {
            folder = FarSocketFolder;
            await MakePrivateAsync(folder, Account, cancellationToken);
        }

        return folder;
    }

    /// <summary>Cleans <c>/tmp</c> up after a stop.</summary>
    public void RemoveSocketFolder()
    {
        if (Directory.Exists(FarSocketFolder) && !Directory.EnumerateFileSystemEntries(FarSocketFolder).Any())
            Directory.Delete(FarSocketFolder);
    }

    /// <summary>Writes a file that only the account (and root) can read.</summary>
    [UnsupportedOSPlatform("windows")]
    public async Task WriteAsync(string path, string text, CancellationToken cancellationToken)
    {
        // Through a new file: the folder belongs to the account, and what is there may be a symbolic link.
        var fresh = path + ".new";
        File.Delete(fresh);
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        await using (var file = new FileStream(fresh, options))
        {
            await file.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken);
            file.Flush(flushToDisk: true);
        }

        await Account.TakeAsync(fresh, cancellationToken);
        File.Move(fresh, path, overwrite: true);
    }

    [UnsupportedOSPlatform("windows")]
    private static async Task<string> ElsewhereAsync(
        string dataDirectory, ServerAccount account, CancellationToken cancellationToken)
    {
        var home = $"/var/tmp/claimcheck-{Fingerprint(dataDirectory)}";
        var location = Path.Combine(dataDirectory, "postgres.location");
        var isKnown = File.Exists(location) && (await File.ReadAllTextAsync(location, cancellationToken)).Trim() == home;
        if (!isKnown)
        {
            // Left by a data directory of this path that was deleted since: its exports, keys and files are gone, so the
            // database is of no use.
            if (await OwnerAsync(home, cancellationToken) == account.Uid)
                await DiscardAsync(home, account, cancellationToken);
            await File.WriteAllTextAsync(location, home + "\n", cancellationToken);
        }

        await MakePrivateAsync(home, account, cancellationToken);
        return home;
    }

    private static async Task DiscardAsync(string home, ServerAccount account, CancellationToken cancellationToken)
    {
        var data = Path.Combine(home, "data");
        if (Postmaster.Read(data) is { } running && await running.ServesAsync(data, cancellationToken))
            await account.RunAsync(["sh", "-c", "kill -QUIT \"$1\"", "sh", $"{running.Pid}"], pgData: null, cancellationToken);
        Directory.Delete(home, recursive: true);
    }

    /// <summary>
    /// Creates a folder in a place where everybody may write: what somebody else put there first is not trusted.
    /// </summary>
    [UnsupportedOSPlatform("windows")]
    private static async Task MakePrivateAsync(string folder, ServerAccount account, CancellationToken cancellationToken)
    {
        var made = await account.RunAsync(["mkdir", "-m", "700", folder], pgData: null, cancellationToken);
        if (made.Succeeded)
            return;
        var owner = await OwnerAsync(folder, cancellationToken);
        var own = account.Uid ?? await OwnUidAsync(cancellationToken);
        if (owner is null)
            throw new LocalPostgresException($"The folder {folder} can't be made: {made.Reason}");
        if (owner != own || File.GetUnixFileMode(folder) != Private)
        {
            throw new LocalPostgresException(
                $"{folder} is not a private folder of the user {account.Name}, so the database does not trust it: "
                + "remove it, or set ClaimCheck:DataDirectory to a folder which that user can enter.");
        }
    }

    /// <returns>Null where there is no folder; a symbolic link to one does not count.</returns>
    private static async Task<int?> OwnerAsync(string folder, CancellationToken cancellationToken)
    {
        var listed = await SystemCommand.RunAsync(["ls", "-ldn", folder], pgData: null, cancellationToken);
        var fields = listed.Output.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return listed.Succeeded && fields.Length > 3 && fields[0][0] == 'd'
            && int.TryParse(fields[2], CultureInfo.InvariantCulture, out var uid)
                ? uid
                : null;
    }

    private static async Task<int?> OwnUidAsync(CancellationToken cancellationToken)
    {
        var id = await SystemCommand.RunAsync(["id", "-u"], pgData: null, cancellationToken);
        return int.TryParse(id.Output, CultureInfo.InvariantCulture, out var uid) ? uid : null;
    }

    /// <summary>Distinguishes data directories, so that two clones never share one.</summary>
    private static string Fingerprint(string dataDirectory) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(dataDirectory)))[..16];

    [GeneratedRegex("^[A-Za-z0-9/._-]+$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex PlainPath();
}
