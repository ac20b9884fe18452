namespace ClaimCheck.Cli.Connection;

/// <summary>Determines the service and the key: from options, environment, profile file, in this order.</summary>
/// <param name="Url">The address as given.</param>
/// <param name="Key">The key, or null.</param>
/// <param name="LinkHosts">Hosts that links may lead to, besides the service's own address: the bucket's.</param>
internal sealed record ServiceAddress(string Url, string? Key, IReadOnlyList<string> LinkHosts)
{
    private const string Default = "http://127.0.0.1:8080";

    /// <summary>A client of the service, which the caller disposes.</summary>
    public ClaimCheckClient Connect(Screen screen)
    {
        if (!Uri.TryCreate(Url, UriKind.Absolute, out var address))
            throw new UsageException("The service's address is not a URL: write it like https://exports.example.");
        if (Key is not null && address is { Scheme: "http", IsLoopback: false })
            screen.Note($"Warning: the key is sent to {address.Host} over plain http; anyone on the way can read it. Use https.");
        try
        {
            return new ClaimCheckClient(new ClaimCheckClientOptions { BaseAddress = address, ApiKey = Key });
        }
        catch (ArgumentException e)
        {
            // Its message names the rule, never the key or the address.
            throw new UsageException(e.Message.Split(" (Parameter ")[0]
                .Replace("ClaimCheckClientOptions.ApiKey", "The key", StringComparison.Ordinal)
                .Replace("ClaimCheckClientOptions.BaseAddress", "The service's address", StringComparison.Ordinal));
        }
    }

    public static async Task<ServiceAddress> FindAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var found = await FindServiceAsync(parsed, cancellationToken);
        string[] hosts =
        [
            .. parsed.GetValue(GlobalOptions.LinkHost) ?? [],
            .. (Variable("CLAIMCHECK_LINK_HOSTS") ?? "").Split(
                ',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
            .. found.LinkHosts,
        ];
        return found with { LinkHosts = hosts };
    }

    private static async Task<ServiceAddress> FindServiceAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var url = parsed.GetValue(GlobalOptions.Url);
        var profile = parsed.GetValue(GlobalOptions.Profile);
        if (url is not null && profile is not null)
            throw new UsageException("Give --url or --profile, not both: a profile's key is for its own address.");
        var given = await GivenKeyAsync(parsed, cancellationToken);
        if (profile is not null)
            return await ProfileFile.FindAsync(profile, cancellationToken) is { } named
                ? named with { Key = given ?? named.Key ?? Variable("CLAIMCHECK_KEY") }
                : throw new UsageException($"The profile '{profile}' does not exist: {ProfileFile.Place} is missing.");
        url ??= Variable("CLAIMCHECK_URL");
        given ??= Variable("CLAIMCHECK_KEY");
        if (url is not null)
            return new(url, given, []);
        var wanted = Variable("CLAIMCHECK_PROFILE");
        if (await ProfileFile.FindAsync(wanted, cancellationToken) is { } found)
            return found with { Key = given ?? found.Key };
        return wanted is null
            ? new(Default, given, [])
            : throw new UsageException($"CLAIMCHECK_PROFILE names '{wanted}', but {ProfileFile.Place} is missing.");
    }

    private static async Task<string?> GivenKeyAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var key = parsed.GetValue(GlobalOptions.Key);
        if (parsed.GetValue(GlobalOptions.KeyFile) is not { } file)
            return key;
        if (key is not null)
            throw new UsageException("Give --key-file or --key, not both.");
        return file == "-"
            ? (await Console.In.ReadLineAsync(cancellationToken))?.Trim()
            : await SecretFile.ReadKeyAsync(file, cancellationToken);
    }

    private static string? Variable(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
