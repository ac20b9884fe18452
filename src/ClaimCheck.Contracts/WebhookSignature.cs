using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace ClaimCheck.Contracts;

/// <summary>
/// Signs and verifies webhooks as https://github.com/standard-webhooks/standard-webhooks says: HMAC-SHA256 over
/// <c>{id}.{timestamp}.{body}</c>, with a secret <c>whsec_</c> and base64.
/// </summary>
public static class WebhookSignature
{
    /// <summary>The header with the message's id: the same on each try.</summary>
    public const string IdHeader = "webhook-id";

    /// <summary>The header with the moment of the try, in Unix seconds.</summary>
    public const string TimestampHeader = "webhook-timestamp";

    /// <summary>The header with one signature, <c>v1,{base64}</c>, or several with spaces between while a
    /// secret is rotated.</summary>
    public const string SignatureHeader = "webhook-signature";

    private const string SecretPrefix = "whsec_";

    /// <summary>How far a timestamp may be from now: five minutes, either way.</summary>
    public static TimeSpan Tolerance { get; } = TimeSpan.FromMinutes(5);

    /// <summary>A new secret: <c>whsec_</c> and 32 random bytes.</summary>
    public static string NewSecret() => SecretPrefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    /// <summary>Whether a text is a secret: <c>whsec_</c> and the base64 of 24 to 64 bytes.</summary>
    public static bool IsSecret(string? text) => text is not null && TryKey(text, out _);

    /// <summary>One signature, <c>v1,{base64}</c>.</summary>
    /// <param name="secret">The secret, <c>whsec_…</c>.</param>
    /// <param name="id">The value of <see cref="IdHeader"/>.</param>
    /// <param name="timestamp">The value of <see cref="TimestampHeader"/>.</param>
    /// <param name="body">The body, byte for byte.</param>
    /// <exception cref="ArgumentException">The secret is invalid.</exception>
    public static string Sign(string secret, string id, DateTimeOffset timestamp, ReadOnlySpan<byte> body)
    {
        if (!TryKey(secret, out var key))
            throw new ArgumentException("A webhook's secret is whsec_ and the base64 of 24 to 64 bytes.", nameof(secret));
        return "v1,"
            + Convert.ToBase64String(Mac(key, id, timestamp.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), body));
    }

    /// <summary>
    /// Whether a webhook was signed with one of these secrets, within <see cref="Tolerance"/> of now. Takes the same time for a
    /// wrong one.
    /// </summary>
    /// <param name="secrets">The valid secrets: two while one is rotated.</param>
    /// <param name="id">The value of <see cref="IdHeader"/>.</param>
    /// <param name="timestamp">The value of <see cref="TimestampHeader"/>.</param>
    /// <param name="signatures">The value of <see cref="SignatureHeader"/>.</param>
    /// <param name="body">The body, byte for byte.</param>
    /// <param name="now">The receiver's clock.</param>
    public static bool Verify(
        IEnumerable<string> secrets, string? id, string? timestamp, string? signatures, ReadOnlySpan<byte> body,
        DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(secrets);
        if (id is not { Length: > 0 } || signatures is null
            || !long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || Math.Abs((double)now.ToUnixTimeSeconds() - seconds) > Tolerance.TotalSeconds)
        {
            return false;
        }

        var matches = false;
        Span<byte> given = stackalloc byte[SHA256.HashSizeInBytes];
        foreach (var secret in secrets)
        {
            if (!TryKey(secret, out var key))
                continue;
            var expected = Mac(key, id, timestamp!, body);
            foreach (var signature in signatures.Split(' '))
            {
                matches |= signature.StartsWith("v1,", StringComparison.Ordinal)
                    && Convert.TryFromBase64String(signature[3..], given, out var length)
                    && length == given.Length
                    && CryptographicOperations.FixedTimeEquals(given, expected);
            }
        }

        return matches;
    }

    private static byte[] Mac(byte[] key, string id, string timestamp, ReadOnlySpan<byte> body)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        mac.AppendData(Encoding.UTF8.GetBytes($"{id}.{timestamp}."));
        mac.AppendData(body);
        return mac.GetHashAndReset();
    }

    private static bool TryKey(string secret, out byte[] key)
    {
        key = [];
        if (!secret.StartsWith(SecretPrefix, StringComparison.Ordinal))
            return false;
        var bytes = new byte[64];
        if (!Convert.TryFromBase64String(secret[SecretPrefix.Length..], bytes, out var length) || length < 24)
            return false;
        key = bytes[..length];
        return true;
    }
}
