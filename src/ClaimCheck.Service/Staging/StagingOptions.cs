namespace ClaimCheck.Service.Staging;

/// <summary>Where objects are staged: <c>ClaimCheck:Staging</c>. Without a bucket it is a local folder.</summary>
internal sealed record StagingOptions : IValidatableObject
{
    public const string Section = "ClaimCheck:Staging";

    private const long MinPartBytes = 5L << 20;
    private const long MaxPartBytes = 1L << 30;
    private const long MaxObjectBytes = 5L << 30;
    private const int MaxParts = 10_000;

    /// <summary>The S3 bucket. Null: a folder.</summary>
    public string? Bucket { get; init; }

    /// <summary>The address of S3, where it is not AWS's own; by default what <c>AWS_ENDPOINT_URL_S3</c> or
    /// <c>AWS_ENDPOINT_URL</c> says.</summary>
    public string? ServiceUrl { get; init; }

    /// <summary>The host that consumers' links are signed for, where they reach S3 by another name.</summary>
    public string? PublicEndpoint { get; init; }

    /// <summary>The region to sign for; by default what the usual AWS settings say.</summary>
    public string? Region { get; init; }

    /// <summary><c>https://host/bucket/key</c>, not <c>https://bucket.host/key</c>. By default so where the
    /// endpoint is not AWS's.</summary>
    public bool? ForcePathStyle { get; init; }

    /// <summary><c>WHEN_SUPPORTED</c> or <c>WHEN_REQUIRED</c>: whether the SDK adds checksums of its own, which other servers
    /// than AWS's often reject. By default what <c>AWS_REQUEST_CHECKSUM_CALCULATION</c> says, else
    /// <c>WHEN_REQUIRED</c>.</summary>
    public string? Checksums { get; init; }

    /// <summary>Bytes of one part of an upload, and so of one buffer.</summary>
    public long PartBytes { get; init; } = 8L << 20;

    /// <summary>How many parts a process sends at a time. Each writer fills one more buffer meanwhile.</summary>
    public int ParallelParts { get; init; } = 4;

    /// <summary>A request, or a pause within an answer, that takes longer counts as stalled and is tried again.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary><c>AES256</c>, <c>aws:kms</c> or <c>aws:kms:dsse</c>; by default the bucket decides.</summary>
    public string? ServerSideEncryption { get; init; }

    /// <summary>The KMS key, where <see cref="ServerSideEncryption"/> names KMS; by default AWS's own.</summary>
    public string? KmsKeyId { get; init; }

    /// <summary>The folder, where no bucket is named; by default <c>staging/</c> in the data directory.</summary>
    public string? Folder { get; init; }

    /// <summary>The group that may read the folder, for an operator who serves it to others; by default the service's
    /// user alone may.</summary>
    public string? Group { get; init; }

    /// <returns>What is wrong: the value, the rule, and the consequence.</returns>
    public IEnumerable<string> Problems()
    {
        if (Bucket is { } bucket
            && (bucket.Length is < 3 or > 63 || bucket.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-'))))
            yield return $"{Section}:Bucket is '{bucket}', but a bucket's name has 3 to 63 letters, digits, dots and dashes: S3 "
                + "would refuse every request.";
        if (Bucket is not null && Folder is not null)
            yield return $"{Section}:Bucket and {Section}:Folder are both set, but there is one staging: remove one of them.";
        if (Bucket is not null && Group is not null)
            yield return $"{Section}:Group is set, but it is for a staging folder, and {Section}:Bucket names a "
                + "bucket: remove one of them.";
        foreach (var (name, value) in new[] { (nameof(ServiceUrl), ServiceUrl), (nameof(PublicEndpoint), PublicEndpoint) })
        {
            if (value is not null && !IsOrigin(value))
                yield return $"{Section}:{name} is '{value}', but must be http(s)://host[:port] without a path: links signed "
                    + "for it would be refused.";
        }
        if (Checksums is not (null or "WHEN_SUPPORTED" or "WHEN_REQUIRED"))
            yield return $"{Section}:Checksums is '{Checksums}', but must be WHEN_SUPPORTED or WHEN_REQUIRED.";
        if (PartBytes is < MinPartBytes or > MaxPartBytes)
            yield return $"{Section}:PartBytes is {PartBytes}, but must be from {MinPartBytes} (S3's own limit) to "
                + $"{MaxPartBytes} (a part is one buffer).";
        else if (PartBytes * MaxParts < MaxObjectBytes)
            yield return $"{Section}:PartBytes is {PartBytes}, but {MaxParts} parts must hold {MaxObjectBytes} bytes: large "
                + "files could not be completed.";
        if (ParallelParts is < 1 or > 64)
            yield return $"{Section}:ParallelParts is {ParallelParts}, but must be from 1 to 64: each part takes a "
                + $"buffer of {PartBytes} bytes.";
        if (StallTimeout < TimeSpan.FromSeconds(1) || StallTimeout > TimeSpan.FromHours(1))
            yield return $"{Section}:StallTimeout is {StallTimeout}, but must be from 1 second to 1 hour: a stalled request "
                + "would hold an export up.";
        if (ServerSideEncryption is not (null or "AES256" or "aws:kms" or "aws:kms:dsse"))
            yield return $"{Section}:ServerSideEncryption is '{ServerSideEncryption}', but must be AES256, aws:kms or "
                + "aws:kms:dsse: S3 would refuse every upload.";
        if (KmsKeyId is not null && ServerSideEncryption is null or "AES256")
            yield return $"{Section}:KmsKeyId is set, but takes effect only with {Section}:ServerSideEncryption aws:kms or "
                + "aws:kms:dsse: files would not be encrypted with it.";
    }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        Problems().Select(problem => new ValidationResult(problem));

    private static bool IsOrigin(string value) =>
        Uri.TryCreate(value, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
        && uri.PathAndQuery == "/" && uri.UserInfo.Length == 0 && uri.Fragment.Length == 0;
}
