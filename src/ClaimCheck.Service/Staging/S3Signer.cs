using System.Web;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace ClaimCheck.Service.Staging;

/// <summary>Presigns GETs, HEADs and PUTs, and tells when they really expire.</summary>
internal sealed class S3Signer(S3Connection connection)
{
    public Task<SignedLink> SignAsync(
        string key, TimeSpan lifetime, LinkAudience audience, string method, CancellationToken cancellationToken) =>
        SignAsync(new GetPreSignedUrlRequest { Key = key, Verb = HttpMethods.IsHead(method) ? HttpVerb.HEAD : HttpVerb.GET },
            lifetime, audience, cancellationToken);

    /// <summary>A PUT of one part of an upload. Its length is signed: S3 takes neither more nor less.</summary>
    public Task<SignedLink> SignPartAsync(
        StagedMultipartUpload upload, int partNumber, long bytes, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        var request = new GetPreSignedUrlRequest
        {
            Key = upload.Key,
            Verb = HttpVerb.PUT,
            UploadId = upload.UploadId,
            PartNumber = partNumber,
        };
        request.Headers.ContentLength = bytes;
        return SignAsync(request, lifetime, LinkAudience.Consumer, cancellationToken);
    }

    private async Task<SignedLink> SignAsync(
        GetPreSignedUrlRequest request, TimeSpan lifetime, LinkAudience audience, CancellationToken cancellationToken)
    {
        var credentialsEnd = await connection.CredentialsEndAsync(cancellationToken);
        var s3 = connection.SignerFor(audience);
        var endpoint = s3.DetermineServiceOperationEndpoint(
            new GetObjectRequest { BucketName = connection.Bucket, Key = request.Key }).URL;
        request.BucketName = connection.Bucket;
        // By default it writes https for an http endpoint.
        request.Protocol = endpoint.StartsWith("http:", StringComparison.OrdinalIgnoreCase) ? Protocol.HTTP : Protocol.HTTPS;
        // The SDK subtracts its own clock again, and rounds to whole seconds.
        request.Expires = CorrectClockSkew.GetCorrectedUtcNowForEndpoint(endpoint)
            .AddSeconds(Math.Max(1, Math.Floor(lifetime.TotalSeconds)));
        var url = await s3.GetPreSignedURLAsync(request);
        var end = SignatureEnd(url);
        return new SignedLink(new Link(url), credentialsEnd < end ? credentialsEnd.Value : end);
    }

    // What S3 uses: the date and the seconds that the signature covers.
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
