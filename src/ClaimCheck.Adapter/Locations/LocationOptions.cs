using System.ComponentModel.DataAnnotations;

namespace ClaimCheck.Adapter.Locations;

/// <summary>One shared location, as an operator configures it. Which settings apply depends on <see cref="Kind"/>.</summary>
internal sealed record LocationOptions : IValidatableObject
{
    /// <summary><c>folder</c>, <c>s3</c>, <c>sftp</c> or <c>http</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>folder: its absolute path. sftp: the path there, relative to the account's home or absolute. s3: a
    /// prefix, or null.</summary>
    public string? Path { get; init; }

    /// <summary>
    /// folder, sftp, http: the address under which the consumer system reaches the location, where it differs from this
    /// process's. Links begin with it.
    /// </summary>
    public string? PublicUrl { get; init; }

    /// <summary>How long batches stay there; null: for ever, or until they are revoked.</summary>
    public TimeSpan? Retention { get; init; }

    /// <summary>The leftovers of a writer are removed once they have not grown for this long.</summary>
    public TimeSpan TemporaryLease { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>A connection, or a request, without progress for longer counts as lost.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// How often a call is tried before the push fails, with delays that double from <see cref="RetryDelay"/>, and jitter.
    /// </summary>
    public int MaxAttempts { get; init; } = 4;

    /// <summary>The delay before the second try.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>s3: the bucket.</summary>
    public string? Bucket { get; init; }

    /// <summary>s3: the address, where it is not AWS's own.</summary>
    public string? ServiceUrl { get; init; }

    /// <summary>s3: the region.</summary>
    public string? Region { get; init; }

    /// <summary>s3: the access key; null with <see cref="SecretKey"/>: the process's usual credential chain.</summary>
    public string? AccessKey { get; init; }

    /// <summary>s3: the secret key.</summary>
    public string? SecretKey { get; init; }

    /// <summary>s3: the session token of temporary keys.</summary>
    public string? SessionToken { get; init; }

    /// <summary>s3: <c>https://host/bucket/key</c>; by default so where <see cref="ServiceUrl"/> is set and not AWS's.</summary>
    public bool? ForcePathStyle { get; init; }

    /// <summary>s3: bytes of one part of an upload; files up to it are sent in one request. One part is in
    /// memory at a time.</summary>
    public int PartBytes { get; init; } = 8 << 20;

    /// <summary>s3: <c>AES256</c>, <c>aws:kms</c> or <c>aws:kms:dsse</c>; null: the bucket decides.</summary>
    public string? ServerSideEncryption { get; init; }

    /// <summary>s3: the KMS key, where <see cref="ServerSideEncryption"/> names KMS.</summary>
    public string? KmsKeyId { get; init; }

    /// <summary>sftp: the server.</summary>
    public string? Host { get; init; }

    /// <summary>sftp: its port.</summary>
    public int Port { get; init; } = 22;

    /// <summary>sftp: the account.</summary>
    public string? User { get; init; }

    /// <summary>sftp: the file with the account's private key, which others can't read.</summary>
    public string? IdentityFile { get; init; }

    /// <summary>sftp: the passphrase of <see cref="IdentityFile"/>, where it is encrypted.</summary>
    public string? Passphrase { get; init; }

    /// <summary>sftp: the certificate of the key in <see cref="IdentityFile"/>; by default the file beside it with
    /// <c>-cert.pub</c>, where there is one.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>sftp: the account's password; tried after the key, where both are set.</summary>
    public string? Password { get; init; }

    /// <summary>sftp: the file with the keys that the server may have. An unknown key is refused.</summary>
    public string? KnownHostsFile { get; init; }

    /// <summary>
    /// sftp: <c>auto</c> runs <c>sha256sum</c> there over each file before it gets its name; where the account may not run
    /// commands it reads files of up to 64 MiB back, and compares the length of larger ones. <c>checksum</c> reads larger ones
    /// back too, <c>length</c> compares lengths only.
    /// </summary>
    public string Verify { get; init; } = "auto";

    /// <summary>sftp: the algorithms that are offered, the first that the server has too is taken. <c>+</c> before the list adds
    /// to the default, <c>^</c> puts it before, <c>-</c> takes out.</summary>
    public AlgorithmNames HostKeyAlgorithms { get; init; } = [];

    /// <inheritdoc cref="HostKeyAlgorithms"/>
    public AlgorithmNames KexAlgorithms { get; init; } = [];

    /// <inheritdoc cref="HostKeyAlgorithms"/>
    public AlgorithmNames Ciphers { get; init; } = [];

    /// <inheritdoc cref="HostKeyAlgorithms"/>
    public AlgorithmNames Macs { get; init; } = [];

    /// <summary>http: the address that paths are appended to.</summary>
    public string? Url { get; init; }

    /// <summary>http: headers of every request, such as <c>Authorization</c>.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>
    /// http: the target supports WebDAV: files get their names by <c>MOVE</c>, folders are created by <c>MKCOL</c> and listed by
    /// <c>PROPFIND</c>. Without it the target itself must show a PUT only once it is complete.
    /// </summary>
    public bool WebDav { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        LocationRules.Problems(this).Select(problem => new ValidationResult(problem));

    /// <summary>The kind only: keys and headers are among the settings.</summary>
    public override string ToString() => $"{nameof(LocationOptions)} {{ Kind = {Kind} }}";
}
