namespace ClaimCheck.LocalPostgres;

/// <summary>
/// The account that runs the private Postgres. Postgres refuses root; a service that is root therefore uses an unprivileged
/// account, any other service runs it under its own.
/// </summary>
internal sealed class ServerAccount
{
    private readonly IReadOnlyList<string> switchTo;

    private ServerAccount(string name, int? uid, IReadOnlyList<string> switchTo) =>
        (Name, Uid, this.switchTo) = (name, uid, switchTo);

    public string Name { get; }

    /// <summary>Null where it is the service's own.</summary>
    public int? Uid { get; }

    public bool IsOwn => Uid is null;

    public static async Task<ServerAccount> ChooseAsync(CancellationToken cancellationToken)
    {
        if (!Environment.IsPrivilegedProcess)
            return new ServerAccount(Environment.UserName, uid: null, []);
        return await NamedAsync("postgres", cancellationToken)
            ?? await NamedAsync("nobody", cancellationToken)
            ?? throw new LocalPostgresException(
                "PostgreSQL refuses to run as root, and this process can switch to neither the user postgres nor nobody "
                + "(tried setpriv, runuser, su and sudo): start the service as an ordinary user, or set "
                + "ConnectionStrings:Catalog.");
    }

    /// <summary>The account that owns data of an earlier start, perhaps of a service that was not root.</summary>
    public static async Task<ServerAccount> OwningAsync(int uid, string folder, CancellationToken cancellationToken)
    {
        var name = await SystemCommand.RunAsync(["id", "-un", Text(uid)], pgData: null, cancellationToken);
        return (name.Succeeded ? await NamedAsync(name.Output.Trim(), cancellationToken) : null)
            ?? throw new LocalPostgresException(
                $"{folder} belongs to user id {uid}, which this process can't switch to: "
                + "start the service as that user, or set ClaimCheck:DataDirectory to another folder.");
    }

    public Task<CommandOutcome> RunAsync(
        IEnumerable<string> commandLine, string? pgData, CancellationToken cancellationToken) =>
        SystemCommand.RunAsync([.. switchTo, .. commandLine], pgData, cancellationToken);

    /// <summary>Whether the account can enter a folder; a clone under root's home is closed to it.</summary>
    public async Task<bool> CanEnterAsync(string folder, CancellationToken cancellationToken) =>
        IsOwn || (await RunAsync(["sh", "-c", "cd \"$1\"", "sh", folder], pgData: null, cancellationToken)).Succeeded;

    /// <summary>Gives the account a file or folder that the service created. Symbolic links are not followed.</summary>
    public async Task TakeAsync(string path, CancellationToken cancellationToken)
    {
        if (Uid is not { } uid)
            return;
        var given = await SystemCommand.RunAsync(["chown", "-h", Text(uid), path], pgData: null, cancellationToken);
        if (!given.Succeeded)
            throw new LocalPostgresException($"{path} can't be given to the user {Name}: {given.Reason}");
    }

    private static async Task<ServerAccount?> NamedAsync(string name, CancellationToken cancellationToken)
    {
        var uid = await SystemCommand.RunAsync(["id", "-u", name], pgData: null, cancellationToken);
        var gid = await SystemCommand.RunAsync(["id", "-g", name], pgData: null, cancellationToken);
        if (!uid.Succeeded || !gid.Succeeded)
            return null;

        var user = uid.Output.Trim();
        string[][] ways =
        [
            ["setpriv", "--reuid", user, "--regid", gid.Output.Trim(), "--init-groups", "--"],
            ["runuser", "-u", name, "--"],
            ["su", "-s", "/bin/sh", name, "-c", "exec \"$0\" \"$@\"", "--"],
            ["sudo", "-n", "-u", name, "--"],
        ];
        foreach (var way in ways)
        {
            var tried = await SystemCommand.RunAsync([.. way, "id", "-u"], pgData: null, cancellationToken);
            if (tried.Succeeded && tried.Output.Trim() == user)
                return new ServerAccount(name, int.Parse(user, CultureInfo.InvariantCulture), way);
        }

        return null;
    }

    private static string Text(int uid) => uid.ToString(CultureInfo.InvariantCulture);
}
