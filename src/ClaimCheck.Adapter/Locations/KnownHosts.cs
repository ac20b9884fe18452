using System.Buffers.Binary;
using Renci.SshNet.Security;

namespace ClaimCheck.Adapter.Locations;

/// <summary>The verdict of <c>known_hosts</c> on the key that a server showed.</summary>
internal enum HostKeyVerdict
{
    /// <summary>The key, or the authority that signed it, is the server's.</summary>
    Known,

    /// <summary>The file has no key of the server's.</summary>
    UnknownHost,

    /// <summary>The file has keys of the server's, but none of this type.</summary>
    UnknownType,

    /// <summary>The file has another key of this type.</summary>
    Changed,

    /// <summary>The file says that this key, or its authority, must not be accepted.</summary>
    Revoked,

    /// <summary>An authority of the server's signed it, but not for this name or this time.</summary>
    UnfitCertificate,
}

/// <summary>
/// A <c>known_hosts</c> file as sshd(8) describes it: names plain, with patterns and negations, in brackets with a port, or
/// hashed; <c>@revoked</c> and <c>@cert-authority</c>. A line that can't be read is ignored, as in OpenSSH.
/// </summary>
internal sealed class KnownHosts
{
    private readonly List<HostEntry> entries;

    private KnownHosts(List<HostEntry> entries) => this.entries = entries;

    private enum Marker
    {
        None,
        Revoked,
        Authority,
    }

    /// <summary>Reads the text of a file.</summary>
    public static KnownHosts Parse(string text) =>
        new([.. text.Split('\n').Select(line => EntryOf(line.Trim())).OfType<HostEntry>()]);

    /// <summary>The algorithms by which the server can show a known key, to be preferred in the negotiation.</summary>
    public IEnumerable<string> AlgorithmsOf(string host, int port) => Of(host, port, orPlain: true)
        .Where(entry => entry.Marker != Marker.Revoked)
        .SelectMany(
            entry => entry.Marker == Marker.Authority ? SshAlgorithms.OfCertificates : SshAlgorithms.OfKeyType(entry.KeyType))
        .Distinct(StringComparer.Ordinal);

    /// <param name="host">As it is configured.</param>
    /// <param name="port">Unless it is 22 it is part of the name; where the file has no entry with it, the bare name counts
    /// too.</param>
    /// <param name="key">The key, as SSH writes it.</param>
    /// <param name="certificate">What an authority signed of it, or null.</param>
    /// <param name="now">For the certificate's time.</param>
    public HostKeyVerdict Judge(string host, int port, byte[] key, Certificate? certificate, DateTimeOffset now)
    {
        var own = Of(host, port, orPlain: false);
        var all = Of(host, port, orPlain: true);
        if (all.Any(entry => entry.Marker == Marker.Revoked && (entry.Is(key) || entry.Is(certificate?.CertificateAuthorityKey))))
            return HostKeyVerdict.Revoked;
        if (certificate is not null
            && all.Any(entry => entry.Marker == Marker.Authority && entry.Is(certificate.CertificateAuthorityKey)))
            return Fits(certificate, host, now) ? HostKeyVerdict.Known : HostKeyVerdict.UnfitCertificate;
        if (all.Any(entry => entry.Marker == Marker.None && entry.Is(key)))
            return HostKeyVerdict.Known;
        // A bare name with another port shows what is known, but not what has changed.
        var plain = own.Where(entry => entry.Marker == Marker.None).ToList();
        return plain.Count == 0 ? HostKeyVerdict.UnknownHost
            : plain.Exists(entry => entry.KeyType == TypeOf(key)) ? HostKeyVerdict.Changed
            : HostKeyVerdict.UnknownType;
    }

    private List<HostEntry> Of(string host, int port, bool orPlain)
    {
        var name = host.ToLowerInvariant();
        var withPort = port == 22 ? name : $"[{name}]:{port}";
        return entries.FindAll(entry => entry.IsOf(withPort) || (orPlain && port != 22 && entry.IsOf(name)));
    }

    private static bool Fits(Certificate certificate, string host, DateTimeOffset now)
    {
        var seconds = (ulong)Math.Max(0, now.ToUnixTimeSeconds());
        return certificate.Type == Certificate.CertificateType.Host
            && seconds >= certificate.ValidAfterUnixSeconds && seconds < certificate.ValidBeforeUnixSeconds
            && certificate.CriticalOptions.Count == 0 // none is defined for hosts: an existing one is not understood
            && certificate.ValidPrincipals.Any(name => Matches(name.ToLowerInvariant(), host.ToLowerInvariant()));
    }

    private static HostEntry? EntryOf(string line)
    {
        if (line.Length == 0 || line[0] == '#')
            return null;
        var parts = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        var marker = parts[0] switch { "@revoked" => Marker.Revoked, "@cert-authority" => Marker.Authority, _ => Marker.None };
        if (marker != Marker.None)
            parts = parts[1..];
        else if (parts[0][0] == '@')
            return null;
        var key = new byte[parts.Length < 3 ? 0 : parts[2].Length];
        if (parts.Length < 3 || !Convert.TryFromBase64String(parts[2], key, out var length)
            || TypeOf(key.AsSpan(0, length)) != parts[1])
            return null;
        return new HostEntry(marker, parts[0].ToLowerInvariant(), parts[0], parts[1], key[..length]);
    }

    private static string? TypeOf(ReadOnlySpan<byte> key)
    {
        var length = key.Length < 4 ? 0 : BinaryPrimitives.ReadUInt32BigEndian(key);
        return length is > 0 and < 100 && key.Length >= 4 + length ? Encoding.ASCII.GetString(key.Slice(4, (int)length)) : null;
    }

    // * and ?, as in a shell; brackets mean themselves.
    private static bool Matches(string pattern, string name)
    {
        var (p, n, star, mark) = (0, 0, -1, 0);
        while (n < name.Length)
        {
            if (p < pattern.Length && (pattern[p] == '?' || pattern[p] == name[n]) && pattern[p] != '*')
                (p, n) = (p + 1, n + 1);
            else if (p < pattern.Length && pattern[p] == '*')
                (star, mark, p) = (p, n, p + 1);
            else if (star >= 0)
                (p, n) = (star + 1, ++mark);
            else
                return false;
        }

        return pattern.AsSpan(p).TrimStart('*').IsEmpty;
    }

    private sealed record HostEntry(Marker Marker, string Names, string Written, string KeyType, byte[] Key)
    {
        public bool Is(byte[]? key) => key is not null && Key.AsSpan().SequenceEqual(key);

        public bool IsOf(string name)
        {
            if (Written.StartsWith("|1|", StringComparison.Ordinal))
                return IsHashOf(name);
            var isOf = false;
            foreach (var pattern in Names.Split(','))
            {
                if (pattern.StartsWith('!'))
                {
                    if (Matches(pattern[1..], name))
                        return false;
                }
                else
                {
                    isOf |= Matches(pattern, name);
                }
            }

            return isOf;
        }

        private bool IsHashOf(string name)
        {
            var (salt, hash) = (new byte[64], new byte[64]);
            return Written.Split('|') is [_, _, var saltText, var hashText]
                && Convert.TryFromBase64String(saltText, salt, out var salted)
                && Convert.TryFromBase64String(hashText, hash, out var hashed)
                && hash.AsSpan(0, hashed).SequenceEqual(HashOf(salt.AsSpan(0, salted), name));
        }

        // The file's own format: the hash only hides names.
        [SuppressMessage("Security", "CA5350", Justification = "OpenSSH's own form of hashed names.")]
        private static byte[] HashOf(ReadOnlySpan<byte> salt, string name) =>
            HMACSHA1.HashData(salt, Encoding.ASCII.GetBytes(name));
    }
}
