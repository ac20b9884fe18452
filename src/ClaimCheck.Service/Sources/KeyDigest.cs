namespace ClaimCheck.Service.Sources;

/// <summary>Identifies a record key where the key itself may be too long: half of its SHA-256.</summary>
internal static class KeyDigest
{
    public static byte[] Of(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key))[..16];
}
