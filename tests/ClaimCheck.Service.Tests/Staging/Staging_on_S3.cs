using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using ClaimCheck.Aws;
using ClaimCheck.Service.Staging;
using ClaimCheck.Service.Startup;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Staging;

public sealed class Staging_on_S3 : What_every_staging_does
{
    internal override async Task<StagingLab> NewLabAsync() => await S3Lab.NewAsync();

    [Fact]
    public async Task In_a_versioned_bucket_every_version_and_marker_goes()
    {
        await using var lab = await S3Lab.NewAsync(versioned: true);
        var manifest = StagingKeys.Manifest(lab.Batch);
        await lab.StoreAsync(manifest, [1]);
        await lab.StoreAsync(manifest, [1, 2]);
        await lab.Endpoint.Client.DeleteObjectAsync(lab.Bucket, manifest); // adds a marker
        await lab.StoreAsync(lab.Key, [1, 2, 3]);

        var objects = await lab.ListAsync();
        await lab.Staging.DeleteAsync(objects, default);

        Assert.Equal(4, objects.Count);
        var left = await lab.Endpoint.Client.ListVersionsAsync(lab.Bucket);
        Assert.Empty(left.Versions ?? []);
    }

    [Fact]
    public async Task More_objects_than_fit_into_one_page_are_listed_and_deleted()
    {
        await using var lab = await S3Lab.NewAsync();
        await Parallel.ForAsync(0, 1_005, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, token) =>
            await lab.Endpoint.Client.PutObjectAsync(
                new PutObjectRequest { BucketName = lab.Bucket, Key = $"{lab.Prefix}a1/{i:00000}", ContentBody = "x" }, token));

        var objects = await lab.ListAsync();
        await lab.Staging.DeleteAsync(objects, default);

        Assert.Equal(1_005, objects.Count);
        Assert.Empty(await lab.ListAsync());
        Assert.Equal(2, lab.Proxy.Count(request => request.IsDeletion));
    }

    [Fact]
    public async Task A_server_without_versions_is_listed_all_the_same()
    {
        await using var lab = await S3Lab.NewAsync();
        lab.Proxy.On(
            request => request.Query.StartsWith("versions", StringComparison.Ordinal), Fault.S3Error(501, "NotImplemented"));
        await lab.StoreAsync(lab.Key, [1, 2, 3]);

        Assert.Equal([new StagedObject(lab.Key, null, 3)], await lab.ListAsync());
        await lab.Staging.DeleteAsync(await lab.ListAsync(), default);
        Assert.Empty(await lab.ListAsync());
    }

    [Fact]
    public async Task Consumers_links_are_signed_for_the_public_endpoint_and_probes_for_the_own()
    {
        await using var front = await FaultProxy.StartAsync((await S3Endpoint.GetAsync()).Url);
        await using var lab = await S3Lab.NewAsync(
            with: options => options with { PublicEndpoint = front.Url.GetLeftPart(UriPartial.Authority) });
        await lab.StoreAsync(lab.Key, [7]);

        var (link, probe) = (await lab.LinkAsync(lab.Key), await lab.LinkAsync(lab.Key, audience: LinkAudience.Probe));

        Assert.StartsWith(front.Url.ToString(), link, StringComparison.Ordinal);
        Assert.StartsWith(lab.Proxy.Url.ToString(), probe, StringComparison.Ordinal);
        foreach (var url in new[] { link, probe })
        {
            using var response = await StagingLab.GetAsync(url);
            Assert.Equal([7], await response.Content.ReadAsByteArrayAsync());
        }
    }

    [Fact]
    public async Task A_link_ends_with_the_credentials_that_signed_it()
    {
        var endpoint = await S3Endpoint.GetAsync();
        var end = TimeProvider.System.GetUtcNow().AddMinutes(30);
        await using var lab = await S3Lab.NewAsync(credentials: new PassingCredentials(endpoint, end));

        var signed = await lab.Staging.SignAsync(lab.Key, TimeSpan.FromHours(12), LinkAudience.Consumer, "GET", default);
        var shorter = await lab.Staging.SignAsync(lab.Key, TimeSpan.FromMinutes(5), LinkAudience.Consumer, "GET", default);

        Assert.Equal(end, signed.ExpiresAt);
        Assert.True(shorter.ExpiresAt < end);
    }

    [Fact]
    public async Task A_bucket_that_is_missing_or_locked_stops_the_start()
    {
        await using var missing = await S3Lab.NewAsync(bucket: $"missing-{Guid.NewGuid():N}");
        await using var locked = await S3Lab.NewAsync(objectLock: true);
        await using var right = await S3Lab.NewAsync();

        var noBucket = await Assert.ThrowsAsync<StartupException>(() => missing.Staging.CheckAsync(default));
        var noDeletion = await Assert.ThrowsAsync<StartupException>(() => locked.Staging.CheckAsync(default));
        await right.Staging.CheckAsync(default);

        Assert.Contains("does not exist", noBucket.Message, StringComparison.Ordinal);
        Assert.Contains("Object Lock", noDeletion.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_credentials_stop_the_start()
    {
        await using var unknown = await S3Lab.NewAsync(credentials: new BasicAWSCredentials("nobodysaccesskey0001", "wrong"));
        var endpoint = await S3Endpoint.GetAsync();
        await using var mistyped = await S3Lab.NewAsync(credentials: new BasicAWSCredentials(endpoint.AccessKey, "wrong"));

        foreach (var lab in new[] { unknown, mistyped })
        {
            var refusal = await Assert.ThrowsAsync<StartupException>(() => lab.Staging.CheckAsync(default));
            Assert.Contains("not accepted", refusal.Message, StringComparison.Ordinal);
            Assert.True((await Assert.ThrowsAsync<StagingException>(lab.ListAsync)).IsTransient);
        }
    }

    [Fact]
    public async Task A_server_that_is_away_does_not_stop_the_start()
    {
        await using var lab = await S3Lab.NewAsync(with: options => options with { StallTimeout = TimeSpan.FromSeconds(1) });
        lab.Proxy.On(_ => true, Fault.S3Error(503, "SlowDown"));

        await lab.Staging.CheckAsync(default);
    }

    [Fact]
    public async Task A_bucket_that_is_gone_says_so_and_is_worth_trying_again()
    {
        await using var lab = await S3Lab.NewAsync(bucket: $"missing-{Guid.NewGuid():N}");

        var failure = await Assert.ThrowsAsync<StagingException>(
            () => lab.Staging.BeginAsync(lab.Key, StagedContent.Json("x.json"), default));

        Assert.True(failure.IsTransient);
        Assert.Contains("the bucket does not exist", failure.Message, StringComparison.Ordinal);
    }

    // Null: nothing names an endpoint, as on AWS.
    [Theory]
    [InlineData(null)]
    [InlineData("https://s3.eu-central-1.amazonaws.com")]
    [InlineData("http://minio.internal:9000")]
    public async Task Every_endpoint_gets_the_same_requests_with_no_checksum_that_is_not_required(string? serviceUrl)
    {
        // What the environment of the tests names is not looked at.
        var config = new AmazonS3Config { IgnoreConfiguredEndpointUrls = true };
        config.ForcePathStyle = !S3Setup.Apply(config, serviceUrl, "eu-central-1", TimeSpan.FromSeconds(30));
        var seen = new RequestRecorder();
        config.HttpClientFactory = seen;
        config.MaxErrorRetry = 0;
        using var client = new AmazonS3Client(new BasicAWSCredentials("key", "secret"), config);

        await client.InitiateMultipartUploadAsync("some-bucket", "a");
        await client.UploadPartAsync(new UploadPartRequest
        {
            BucketName = "some-bucket",
            Key = "a",
            UploadId = "u",
            PartNumber = 1,
            InputStream = new MemoryStream(new byte[100_000]),
        });
        await client.PutObjectAsync(new PutObjectRequest { BucketName = "some-bucket", Key = "a", ContentBody = "body" });
        await client.CompleteMultipartUploadAsync(new CompleteMultipartUploadRequest
        {
            BucketName = "some-bucket",
            Key = "a",
            UploadId = "u",
            PartETags = [new(1, "e")],
        });
        (await client.GetObjectAsync("some-bucket", "a")).Dispose();
        // A deletion of several is the one that requires a checksum.
        await client.DeleteObjectsAsync(
            new DeleteObjectsRequest { BucketName = "some-bucket", Objects = [new KeyVersion { Key = "a" }] });

        Assert.Equal(6, seen.Requests.Count);
        Assert.All(seen.Requests, request => Assert.EndsWith(
            serviceUrl is null or "https://s3.eu-central-1.amazonaws.com" ? "s3.eu-central-1.amazonaws.com" : "minio.internal",
            request.Host,
            StringComparison.Ordinal));
        string[] checksums = ["x-amz-sdk-checksum-algorithm", "x-amz-trailer", "x-amz-checksum-mode", "x-amz-checksum-crc32",
            "x-amz-checksum-algorithm"];
        Assert.All(seen.Requests.Take(5), request =>
            Assert.Empty(request.Headers.Intersect(checksums, StringComparer.OrdinalIgnoreCase)));
        Assert.All(seen.Requests.Take(3), request => Assert.DoesNotContain("Content-MD5", request.Headers));
        Assert.Equal(["x-amz-sdk-checksum-algorithm", "x-amz-checksum-crc32"], checksums.Intersect(
            seen.Requests[5].Headers, StringComparer.OrdinalIgnoreCase));
    }

    [Fact]
    public void Other_servers_get_path_style_and_only_required_checksums()
    {
        using var other = new S3Connection(new StagingOptions { Bucket = "some", ServiceUrl = "http://127.0.0.1:9000" });
        using var set = new S3Connection(new StagingOptions
        {
            Bucket = "some",
            ServiceUrl = "http://127.0.0.1:9000",
            Checksums = "WHEN_SUPPORTED",
            ForcePathStyle = false,
            Region = "eu-central-1",
        });
        using var aws = new S3Connection(
            new StagingOptions { Bucket = "some", ServiceUrl = "https://s3.eu-central-1.amazonaws.com" });

        Assert.True(other.Config.ForcePathStyle);
        Assert.Equal(RequestChecksumCalculation.WHEN_REQUIRED, other.Config.RequestChecksumCalculation);
        Assert.False(set.Config.ForcePathStyle);
        Assert.Equal(RequestChecksumCalculation.WHEN_SUPPORTED, set.Config.RequestChecksumCalculation);
        Assert.Equal("eu-central-1", set.Config.AuthenticationRegion);
        Assert.False(aws.Config.ForcePathStyle);
    }

    private sealed class RequestRecorder : HttpClientFactory
    {
        public List<(string Host, IReadOnlyList<string> Headers)> Requests { get; } = [];

        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(new Handler(Requests));

        private sealed class Handler(List<(string, IReadOnlyList<string>)> requests) : HttpMessageHandler
        {
            protected override async Task<HttpResponseMessage> SendAsync(
                HttpRequestMessage request, CancellationToken cancellationToken)
            {
                var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
                requests.Add((request.RequestUri!.Host,
                    [.. request.Headers.Concat(request.Content?.Headers.AsEnumerable() ?? []).Select(header => header.Key)]));
                var root = request.RequestUri.Query switch
                {
                    "?delete" => "DeleteResult",
                    "?uploads" => "InitiateMultipartUploadResult",
                    _ => "CompleteMultipartUploadResult",
                };
                return new(System.Net.HttpStatusCode.OK)
                {
                    Content = new StringContent(request.Method == HttpMethod.Put ? "" : $"<{root} "
                        + $"xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><UploadId>u{body.Length}</UploadId></{root}>"),
                    Headers = { { "ETag", "\"0-1\"" } },
                };
            }
        }
    }

    private sealed class PassingCredentials : AWSCredentials
    {
        private readonly ImmutableCredentials credentials;

        public PassingCredentials(S3Endpoint endpoint, DateTimeOffset end)
        {
            credentials = new ImmutableCredentials(endpoint.AccessKey, endpoint.SecretKey, token: null);
            Expiration = end.UtcDateTime;
        }

        public override ImmutableCredentials GetCredentials() => credentials;
    }
}
