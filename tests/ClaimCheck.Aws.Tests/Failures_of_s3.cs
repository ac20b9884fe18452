using System.Net;
using Amazon.Runtime;

namespace ClaimCheck.Aws.Tests;

[Trait("needs", "nothing")]
public sealed class Failures_of_s3
{
    [Theory]
    [InlineData(
        "NoSuchBucket", 404, S3FailureKind.NoBucket, "the bucket does not exist. Create it, or correct Bucket (NoSuchBucket).")]
    [InlineData("NoSuchKey", 404, S3FailureKind.Missing, "it is not there (NoSuchKey).")]
    [InlineData("ExpiredToken", 400, S3FailureKind.Denied, "the credentials have expired. Renew them (ExpiredToken).")]
    [InlineData("PermanentRedirect", 301, S3FailureKind.OtherRegion,
        "the bucket is in another region. Correct Region (PermanentRedirect).")]
    [InlineData(
        "QuotaExceeded", 403, S3FailureKind.Full, "the storage is full. Free space, or raise the quota (QuotaExceeded).")]
    [InlineData("BadDigest", 400, S3FailureKind.Altered, "what arrived is not what was sent (BadDigest).")]
    [InlineData("", 403, S3FailureKind.Denied, "it refuses. Check the credentials and their rights (403).")]
    [InlineData("SlowDown", 503, S3FailureKind.Other, "said (SlowDown).")]
    internal void A_refusal_says_what_went_wrong_and_what_to_do(string code, int status, S3FailureKind kind, string sentence)
    {
        var refusal = new AmazonServiceException("said.", null, ErrorType.Sender, code, "r1", (HttpStatusCode)status);

        var failure = S3Failure.Of(refusal, "Bucket", "Region");

        Assert.Equal((kind, sentence), (failure.Kind, failure.Sentence));
    }

    [Fact]
    public void What_has_no_answer_has_no_code()
    {
        var failure = S3Failure.Of(new TimeoutException(), "Bucket", "Region");

        Assert.Equal((S3FailureKind.NoAnswer, "it stalled.", null), (failure.Kind, failure.Sentence, failure.Code));
        Assert.False(S3Failure.IsOf(new OperationCanceledException(), new CancellationToken(canceled: true)));
        Assert.True(S3Failure.IsOf(new OperationCanceledException(), CancellationToken.None));
    }
}
