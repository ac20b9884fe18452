using System.Text.Json.Serialization;

namespace ClaimCheck.Cli.Connection;

/// <summary>The profile file: addresses and keys by name.</summary>
internal static class ProfileFile
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    public static string Place => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { } home && Path.IsPathRooted(home)
            ? home
            : Path.Combine(Home, ".config"),
        "claimcheck",
        "config.json");

    private static string Home => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    /// <summary>A profile, by default the default one. Null where the file does not exist, or names no default.</summary>
    public static async Task<ServiceAddress?> FindAsync(string? name, CancellationToken cancellationToken)
    {
        if (!File.Exists(Place))
            return null;
        var content = Parse(await SecretFile.ReadAsync(Place, "the profile file", cancellationToken));
        if (content.Profiles.Values.Any(profile => profile?.Key is not null))
            SecretFile.Check(Place);
        name ??= content.Default;
        if (name is null)
            return null;
        if (content.Profiles.GetValueOrDefault(name) is not { } found)
            throw new UsageException(
                $"{Place} does not have the profile '{name}'; it has {string.Join(", ", content.Profiles.Keys)}.");
        if (found.Url is null)
            throw new UsageException($"The profile '{name}' in {Place} has no url.");
        if (found is { Key: not null, KeyFile: not null })
            throw new UsageException($"The profile '{name}' in {Place} has a key and a keyFile: remove one of them.");
        return new(
            found.Url,
            found.KeyFile is null ? found.Key : await SecretFile.ReadKeyAsync(Expand(found.KeyFile), cancellationToken),
            found.LinkHosts ?? []);
    }

    private static Content Parse(string text)
    {
        try
        {
            if (JsonSerializer.Deserialize<Content>(text, Json) is { Profiles: not null } content)
                return content;
        }
        catch (JsonException e)
        {
            // The parser's own message may quote the file, which may contain a key.
            throw new UsageException($"{Place} can't be read as profiles (line {e.LineNumber + 1}). {Form}");
        }
        throw new UsageException($"{Place} has no profiles. {Form}");
    }

    private const string Form =
        """Its form is { "default": "name", "profiles": { "name": { "url": "…", "keyFile": "…", "linkHosts": [ "…" ] } } }.""";

    private static string Expand(string path) =>
        path.StartsWith("~/", StringComparison.Ordinal)
            ? Path.Combine(Home, path[2..])
            : Path.Combine(Path.GetDirectoryName(Place)!, path);

    private sealed record Content(string? Default, Dictionary<string, ProfileEntry?> Profiles);

    private sealed record ProfileEntry(string? Url, string? Key, string? KeyFile, IReadOnlyList<string>? LinkHosts);
}
