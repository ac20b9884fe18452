using System.Buffers.Text;
using ClaimCheck.Records.Disk;

namespace ClaimCheck.Service.Staging;

/// <summary>The keys that sign links to the folder. They survive restarts, so that links do; the newest signs, and all verify. A
/// key is replaced by a new one after a month, and deleted once no link that it signed can be valid. To make every link invalid
/// at once, stop the service and delete the file.</summary>
internal sealed class LinkKeys
{
    private static readonly TimeSpan SignsFor = TimeSpan.FromDays(30);
    private readonly IReadOnlyList<Key> known; // oldest first

    private LinkKeys(IReadOnlyList<Key> keys) => known = keys;

    public string NewestId => known[^1].Id;

    /// <exception cref="StartupException">The file can't be read or written.</exception>
    public static LinkKeys Open(string path, TimeProvider time)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            if (!File.Exists(path))
                Durable.WriteFirst(path, Bytes([Key.New(time)]));
            var keys = Read(path);
            if (time.GetUtcNow() - keys[^1].CreatedAt >= SignsFor)
            {
                // Key i signed until key i + 1 was created.
                var verifying = keys.Where(
                    (_, i) => i + 1 == keys.Count || time.GetUtcNow() - keys[i + 1].CreatedAt < LinkLifetime.Longest);
                keys = [.. verifying, Key.New(time)];
                Durable.ReplacePrivate(path, Bytes(keys));
            }
            return new LinkKeys(keys);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(
                $"The keys for links, {path}, can't be read and written ({e.Message}): check its permissions and its disk.", e);
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            throw new StartupException(
                $"The keys for links, {path}, are damaged: restore the file, or delete it to have all links made anew.", e);
        }
    }

    public string Sign(string text) => known[^1].Sign(text);

    /// <summary>Compares in constant time.</summary>
    public bool Verify(string keyId, string text, string signature) =>
        known.FirstOrDefault(key => key.Id == keyId) is { } key
        && CryptographicOperations.FixedTimeEquals(
            System.Text.Encoding.UTF8.GetBytes(key.Sign(text)), System.Text.Encoding.UTF8.GetBytes(signature));

    private static IReadOnlyList<Key> Read(string path)
    {
        var keys = JsonSerializer.Deserialize<KeyFile>(File.ReadAllBytes(path), ClaimCheckJson.Options)?.Keys;
        return keys is { Count: > 0 } && keys.All(key => key.IsWhole)
            ? [.. keys.OrderBy(key => key.CreatedAt)]
            : throw new JsonException("It holds no keys.");
    }

    private static byte[] Bytes(IReadOnlyList<Key> keys) =>
        JsonSerializer.SerializeToUtf8Bytes(new KeyFile(keys), ClaimCheckJson.Options);

    private sealed record KeyFile(IReadOnlyList<Key> Keys);

    private sealed record Key(string Id, string Secret, DateTimeOffset CreatedAt)
    {
        private const int SecretBytes = 32;

        [System.Text.Json.Serialization.JsonIgnore]
        public bool IsWhole =>
            !string.IsNullOrEmpty(Id) && Secret is not null && Base64Url.DecodeFromChars(Secret).Length == SecretBytes;

        public static Key New(TimeProvider time) => new(
            RandomNumberGenerator.GetHexString(8, lowercase: true),
            Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes)),
            time.GetUtcNow());

        public string Sign(string text) => Base64Url.EncodeToString(
            HMACSHA256.HashData(Base64Url.DecodeFromChars(Secret), System.Text.Encoding.UTF8.GetBytes(text)));

        public override string ToString() => $"Key {Id}";
    }
}
