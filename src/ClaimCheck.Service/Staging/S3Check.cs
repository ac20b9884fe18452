using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace ClaimCheck.Service.Staging;

/// <summary>What must be true of a bucket before the service starts. A bucket that can't be reached at present may come
/// back.</summary>
internal sealed partial class S3Check(S3Connection connection, S3Failures failures, ILogger logger)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await connection.Client.ListObjectsV2Async(
                new ListObjectsV2Request { BucketName = connection.Bucket, Prefix = StagingKeys.Root, MaxKeys = 1 },
                cancellationToken);
            await CheckObjectLockAsync(cancellationToken);
        }
        catch (AmazonServiceException e) when (IsWrong(e))
        {
            // Without the right to list, S3 answers 403 for a missing object, and nothing could be verified as deleted.
            throw new StartupException(failures.Explain(e, $"list {StagingKeys.Root}").Message, e);
        }
        catch (AmazonClientException e) when (e.InnerException is not HttpRequestException)
        {
            throw new StartupException(
                $"No credentials were found for bucket {connection.Bucket}: {e.Message} Set AWS_ACCESS_KEY_ID and " +
                "AWS_SECRET_ACCESS_KEY, a profile, or a role.",
                e);
        }
        catch (Exception e) when (S3Failures.IsFailure(e, cancellationToken))
        {
            Log.NotReached(logger, failures.Explain(e, "be reached").Message);
        }
    }

    private static bool IsWrong(AmazonServiceException e) => e.ErrorCode
        is "NoSuchBucket" or "AccessDenied" or "AllAccessDisabled" or "Forbidden" or "InvalidAccessKeyId" or "InvalidToken"
        or "SignatureDoesNotMatch" or "PermanentRedirect" or "AuthorizationHeaderMalformed" or "InvalidBucketName";

    private async Task CheckObjectLockAsync(CancellationToken cancellationToken)
    {
        GetObjectLockConfigurationResponse answer;
        try
        {
            answer = await connection.Client.GetObjectLockConfigurationAsync(
                new GetObjectLockConfigurationRequest { BucketName = connection.Bucket }, cancellationToken);
        }
        catch (AmazonS3Exception e) when (e.ErrorCode is "AccessDenied" or "Forbidden")
        {
            Log.ObjectLockUnknown(logger, connection.Bucket);
            return;
        }
        catch (AmazonS3Exception e) when ((int)e.StatusCode is 400 or 404 or 405 or 409 or 501)
        {
            return; // ObjectLockConfigurationNotFoundError, or a server without that feature
        }

        if (answer.ObjectLockConfiguration?.ObjectLockEnabled == ObjectLockEnabled.Enabled)
        {
            throw new StartupException(
                $"Bucket {connection.Bucket} has Object Lock, so that revoked data could not be deleted: name a bucket without " +
                $"it in {StagingOptions.Section}:Bucket.");
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Staging can't be reached yet; exports wait for it. {Reason}")]
        public static partial void NotReached(ILogger logger, string reason);

        [LoggerMessage(LogLevel.Warning,
            "Whether bucket {Bucket} has Object Lock is not known: s3:GetBucketObjectLockConfiguration is denied. With Object "
            + "Lock nothing could be revoked.")]
        public static partial void ObjectLockUnknown(ILogger logger, string bucket);
    }
}
