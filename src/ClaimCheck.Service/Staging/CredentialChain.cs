using Amazon.Runtime;
using Amazon.Runtime.Credentials;
using Amazon.S3;

namespace ClaimCheck.Service.Staging;

/// <summary>The SDK's usual chain (environment, profile, web identity, container, instance), resolved once for all clients: a
/// link's end is known only where it is signed with the very credentials whose expiry was read.</summary>
internal sealed class CredentialChain : AWSCredentials, IDisposable
{
    private readonly DefaultAWSCredentialsIdentityResolver resolver = new(); // caches, and notices changed files
    private readonly AmazonS3Config config = new();

    public override ImmutableCredentials GetCredentials()
    {
        var found = resolver.ResolveIdentity(config);
        var credentials = found.GetCredentials();
        Expiration = found.Expiration;
        return credentials;
    }

    public override async Task<ImmutableCredentials> GetCredentialsAsync()
    {
        var found = await resolver.ResolveIdentityAsync(config, CancellationToken.None);
        var credentials = await found.GetCredentialsAsync();
        Expiration = found.Expiration;
        return credentials;
    }

    public void Dispose() => resolver.Dispose();
}
