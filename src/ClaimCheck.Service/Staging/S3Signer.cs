using System.Globalization;
using System.Web;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using ClaimCheck.Contracts;

namespace ClaimCheck.Service.Staging;

/// <summary>Presigns GETs, and says when they really end.</summary>
internal sealed class S3Signer(S3Connection connection)
{
    public async Task<SignedLink> SignAsync(string key, TimeSpan lifetime, LinkAudience audience, CancellationToken cancellationToken)
    {
        var credentialsEnd = await connection.CredentialsEndAsync(cancellationToken);
        var s3 = connection.SignerFor(audience);
        var endpoint = s3.DetermineServiceOperationEndpoint(new GetObjectRequest { BucketName = connection.Bucket, Key = key }).URL;
        var url = await s3.GetPreSignedURLAsync(new GetPreSignedUrlRequest
        {
            BucketName = connection.Bucket,
            Key = key,
            Verb = HttpVerb.GET,
            // It says https for an http endpoint by default.
            Protocol = endpoint.StartsWith("http:", StringComparison.OrdinalIgnoreCase) ? Protocol.HTTP : Protocol.HTTPS,
            // The SDK subtracts its own clock again, and rounds to whole seconds.
            Expires = CorrectClockSkew.GetCorrectedUtcNowForEndpoint(endpoint).AddSeconds(Math.Max(1, Math.Floor(lifetime.TotalSeconds))),
        });
        var end = SignatureEnd(url);
        return new SignedLink(new Link(url), credentialsEnd < end ? credentialsEnd.Value : end);
    }

    // What S3 will go by: the date and the seconds that the signature covers.
    private static DateTimeOffset SignatureEnd(string url)
    {
        var query = HttpUtility.ParseQueryString(new Uri(url).Query);
        if (query["X-Amz-Algorithm"] is not { } algorithm || !algorithm.StartsWith("AWS4-", StringComparison.Ordinal))
            throw new InvalidOperationException("The SDK did not sign with SigV4.");
        var date = DateTimeOffset.ParseExact(
            query["X-Amz-Date"]!, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        return date.AddSeconds(long.Parse(query["X-Amz-Expires"]!, CultureInfo.InvariantCulture));
    }
}
