using Amazon.Runtime.Credentials.Internal;
using Amazon.Runtime.Internal.Auth;

namespace ClaimCheck.Aws.SimpleNotificationService;

/// <summary>Calls of one service through Core's pipeline: credentials, endpoint, signature, clock, retries.</summary>
internal sealed class WireClient : AmazonServiceClient
{
    private readonly WireCall.Marshaller marshaller;
    private readonly Func<ReadOnlyMemory<byte>, IWebResponseData, WireError> readError;

    public WireClient(
        WireConfig config, AwsMessagingOptions options, Func<ReadOnlyMemory<byte>, IWebResponseData, WireError> readError)
        : base(options.Credentials!, config) // null is the credential chain
    {
        marshaller = new WireCall.Marshaller(config.ServiceId);
        this.readError = readError;
    }

    protected override IServiceMetadata ServiceMetadata => new Metadata(Config.ServiceId);

    // Answers contain messages.
    protected override bool SupportResponseLogging => false;

    public async Task<T> CallAsync<T>(WireCall call, Func<ReadOnlyMemory<byte>, T> read, CancellationToken cancellationToken)
    {
        var how = new InvokeOptions
        {
            RequestMarshaller = marshaller,
            ResponseUnmarshaller = new WireUnmarshaller<T>(read, readError),
        };
        return (await InvokeAsync<WireAnswer<T>>(call, how, cancellationToken)).Value;
    }

    protected override void CustomizeRuntimePipeline(RuntimePipeline pipeline) =>
        pipeline.AddHandlerAfter<Marshaller>(new SignatureV4());

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
            ((WireConfig)Config).DisposeConnections();
    }

    private sealed class SignatureV4 : BaseAuthResolverHandler
    {
        protected override List<IAuthSchemeOption> ResolveAuthOptions(IExecutionContext executionContext) =>
            AuthSchemeOption.DEFAULT_SIGV4;
    }

    private sealed class Metadata(string serviceId) : IServiceMetadata
    {
        public string ServiceId => serviceId;

        public IDictionary<string, string> OperationNameMapping { get; } = new Dictionary<string, string>();
    }
}
