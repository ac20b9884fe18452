using Names = System.Collections.Generic.IReadOnlyList<string>;
using ConnectionInfo = Renci.SshNet.ConnectionInfo;

namespace ClaimCheck.Adapter.Locations;

/// <summary>
/// Which algorithms a connection offers. What OpenSSH's client no longer offers by default (SHA-1 in signatures and key exchange,
/// CBC) is available, and offered where a location says so.
/// </summary>
internal static class SshAlgorithms
{
    // The lists are the same for every connection.
    private static readonly ConnectionInfo Known = new("none", "none", new NoneAuthenticationMethod("none"));

    /// <summary>For keys that an authority has signed.</summary>
    public static IEnumerable<string> OfCertificates => Known.HostKeyAlgorithms.Keys.Where(IsOfCertificates);

    /// <summary>The signature algorithms of a key type: an RSA key has several.</summary>
    public static IEnumerable<string> OfKeyType(string type) =>
        type == "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"] : [type];

    /// <summary>What is wrong with a location's lists.</summary>
    public static IEnumerable<string> Problems(LocationOptions options) =>
        Problems(nameof(options.HostKeyAlgorithms), options.HostKeyAlgorithms, [.. Known.HostKeyAlgorithms.Keys])
            .Concat(Problems(nameof(options.KexAlgorithms), options.KexAlgorithms, [.. Known.KeyExchangeAlgorithms.Keys]))
            .Concat(Problems(nameof(options.Ciphers), options.Ciphers, [.. Known.Encryptions.Keys]))
            .Concat(Problems(nameof(options.Macs), options.Macs, [.. Known.HmacAlgorithms.Keys]));

    /// <summary>Sets what a connection offers, with known keys first.</summary>
    public static void Choose(ConnectionInfo info, LocationOptions options, IEnumerable<string> knownKeys)
    {
        var known = knownKeys.ToHashSet(StringComparer.Ordinal);
        var hostKeys = Chosen(options.HostKeyAlgorithms, [.. info.HostKeyAlgorithms.Keys]);
        Keep(info.HostKeyAlgorithms, hostKeys.OrderBy(name => known.Contains(name) ? 0 : IsOfCertificates(name) ? 2 : 1));
        Keep(info.KeyExchangeAlgorithms, Chosen(options.KexAlgorithms, [.. info.KeyExchangeAlgorithms.Keys]));
        Keep(info.Encryptions, Chosen(options.Ciphers, [.. info.Encryptions.Keys]));
        Keep(info.HmacAlgorithms, Chosen(options.Macs, [.. info.HmacAlgorithms.Keys]));
    }

    /// <summary>What one side offers, and the setting that changes it, where the sides did not agree.</summary>
    /// <param name="reason">The library's message.</param>
    /// <param name="options">The location's options.</param>
    public static string Advice(string reason, LocationOptions options)
    {
        var (setting, chosen) = reason switch
        {
            _ when reason.Contains("host key", StringComparison.OrdinalIgnoreCase) =>
                (nameof(options.HostKeyAlgorithms), Chosen(options.HostKeyAlgorithms, [.. Known.HostKeyAlgorithms.Keys])),
            _ when reason.Contains("encryption", StringComparison.OrdinalIgnoreCase) =>
                (nameof(options.Ciphers), Chosen(options.Ciphers, [.. Known.Encryptions.Keys])),
            _ when reason.Contains("mac", StringComparison.OrdinalIgnoreCase) =>
                (nameof(options.Macs), Chosen(options.Macs, [.. Known.HmacAlgorithms.Keys])),
            _ => (nameof(options.KexAlgorithms), Chosen(options.KexAlgorithms, [.. Known.KeyExchangeAlgorithms.Keys])),
        };
        return $"this side offers {string.Join(",", chosen)}: {setting} sets it";
    }

    private static bool IsOfCertificates(string name) => name.Contains("-cert-", StringComparison.Ordinal);

    private static bool IsOfferedByDefault(string name) =>
        (!name.EndsWith("-sha1", StringComparison.Ordinal) || name.StartsWith("hmac-", StringComparison.Ordinal))
        && !name.EndsWith("-cbc", StringComparison.Ordinal) && !name.StartsWith("ssh-rsa", StringComparison.Ordinal);

    // As in ssh_config: a list, or one that is appended (+) or prepended (^) to the default, or removed from it (-).
    private static Names Chosen(AlgorithmNames given, Names all)
    {
        var byDefault = all.Where(IsOfferedByDefault).ToList();
        var names = given.Plain;
        return given.How switch
        {
            _ when names.Count == 0 => byDefault,
            '+' => [.. byDefault.Union(names)],
            '^' => [.. names.Union(byDefault)],
            '-' => [.. byDefault.Except(names)],
            _ => [.. names.Distinct(StringComparer.Ordinal)],
        };
    }

    private static IEnumerable<string> Problems(string setting, AlgorithmNames given, Names all)
    {
        foreach (var name in given.Plain.Except(all, StringComparer.Ordinal))
        {
            yield return $"{setting} has '{name}', but must have names of {string.Join(", ", all)} (nearest: " +
                $"{NearestName.Of(name, all)}): an unknown algorithm can't be negotiated.";
        }

        if (given.Count > 0 && Chosen(given, all).Count == 0)
            yield return $"{setting} leaves no name, but one must be offered: no connection would be possible.";
    }

    private static void Keep<T>(IOrderedDictionary<string, T> all, IEnumerable<string> names)
    {
        var kept = names.Where(all.ContainsKey).Select(name => (name, all[name])).ToList();
        all.Clear();
        foreach (var (name, value) in kept)
            all.Add(name, value);
    }
}
