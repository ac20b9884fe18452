using Amazon.S3;

namespace ClaimCheck.Import.Arriving;

/// <summary>How S3 is reached: from the options and the SDK's own sources.</summary>
internal static class S3Link
{
    public const string Scheme = "s3://";

    /// <returns>False where the text is not <c>s3://bucket/prefix</c>.</returns>
    public static bool TryParse(string text, out string bucket, out string prefix)
    {
        (bucket, prefix) = ("", "");
        if (!text.StartsWith(Scheme, StringComparison.Ordinal))
            return false;
        var parts = text[Scheme.Length..].Split('/', 2);
        (bucket, prefix) = (parts[0], parts.Length > 1 ? parts[1] : "");
        return bucket.Length is >= 3 and <= 63;
    }

    /// <summary>The caller disposes it.</summary>
    public static AmazonS3Client Connect(ArrivalOptions options)
    {
        var config = new AmazonS3Config { MaxErrorRetry = 4 };
        config.ForcePathStyle = !S3Setup.Apply(config, options.ServiceUrl, options.Region, TimeSpan.FromSeconds(60));
        return new AmazonS3Client(config);
    }
}
