namespace ClaimCheck.Cli.Connection;

/// <summary>The options of every command.</summary>
internal static class GlobalOptions
{
    public static readonly Option<string?> Url = new("--url")
    {
        Description = "The service's address; a profile's key is not sent there.",
        HelpName = "URL",
        Recursive = true,
    };

    public static readonly Option<string?> Key = new("--key")
    {
        Description = "The key. Discouraged: others can see it in the list of processes and in the shell's history. Prefer "
            + "--key-file, CLAIMCHECK_KEY or a profile.",
        HelpName = "KEY",
        Recursive = true,
    };

    public static readonly Option<string?> KeyFile = new("--key-file")
    {
        Description = "A file with only the key, readable by its owner only; - reads standard input.",
        HelpName = "FILE",
        Recursive = true,
    };

    public static readonly Option<string?> Profile = new("--profile")
    {
        Description = "A profile of the profile file: its address and its key.",
        HelpName = "NAME",
        Recursive = true,
    };

    public static readonly Option<string[]> LinkHost = new("--link-host")
    {
        Description = "A host that links may lead to besides the service's own address, such as the bucket's: a name, with :port "
            + "where only that port is meant, or *.example.com. May be repeated; CLAIMCHECK_LINK_HOSTS (with commas) and a "
            + "profile's linkHosts add more.",
        HelpName = "HOST",
        Recursive = true,
    };

    public static readonly Option<bool> Json = new("--json")
    {
        Description = "For scripts: one JSON document on standard output, or one per line where results come one by one; a "
            + "failure is a problem document (RFC 9457) with exitCode.",
        Recursive = true,
    };

    public static IReadOnlyList<Option> All => [Url, KeyFile, Key, Profile, LinkHost, Json];
}
