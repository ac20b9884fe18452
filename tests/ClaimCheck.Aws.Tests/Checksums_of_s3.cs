using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.SQS;

namespace ClaimCheck.Aws.Tests;

/// <summary>What every client of S3 is set to.</summary>
[Trait("needs", "nothing")]
[Collection(nameof(TheProcess))]
public sealed class Checksums_of_s3 : IDisposable
{
    private static readonly string[] Variables =
        ["AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION", "AWS_ENDPOINT_URL"];
    private readonly string?[] before = [.. Variables.Select(Environment.GetEnvironmentVariable)];

    public void Dispose() => Set(before);

    [Theory]
    [InlineData(null, true)]
    [InlineData("https://s3.eu-central-1.amazonaws.com", true)]
    [InlineData("https://s3.cn-north-1.amazonaws.com.cn", true)]
    [InlineData("http://minio.internal:9000", false)]
    [InlineData("http://[fd00::1]:9000", false)]
    [InlineData("https://amazonaws.com.example", false)]
    public void Are_required_ones_alone_on_every_endpoint_unless_the_environment_says_otherwise(string? serviceUrl, bool isAws)
    {
        Set(null, null, null);
        var usual = NewConfig();
        Assert.Equal(isAws, S3Setup.Apply(usual, serviceUrl, "eu-central-1", TimeSpan.FromSeconds(5)));
        Assert.Equal(RequestChecksumCalculation.WHEN_REQUIRED, usual.RequestChecksumCalculation);
        Assert.Equal(ResponseChecksumValidation.WHEN_REQUIRED, usual.ResponseChecksumValidation);
        Assert.Same(SystemProxy.Instance, usual.GetWebProxy());

        Set("when_supported", "when_supported", null);
        var told = NewConfig();
        S3Setup.Apply(told, serviceUrl, "eu-central-1", TimeSpan.FromSeconds(5));
        Assert.Equal(RequestChecksumCalculation.WHEN_SUPPORTED, told.RequestChecksumCalculation);
        Assert.Equal(ResponseChecksumValidation.WHEN_SUPPORTED, told.ResponseChecksumValidation);
    }

    private static AmazonSQSConfig NewConfig() => new();

    private static void Set(params string?[] values)
    {
        foreach (var (name, value) in Variables.Zip(values))
            Environment.SetEnvironmentVariable(name, value);
        FallbackInternalConfigurationFactory.Reset(); // the SDK reads them once
    }
}
