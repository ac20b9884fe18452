namespace ClaimCheck.Aws.SimpleNotificationService;

/// <summary>One call, ready to be signed. It contains messages, so its text form is only the call's name.</summary>
/// <param name="operation">The call's name, for example <c>Publish</c>.</param>
/// <param name="on">The topic, subscription or queue it is about, for error messages; or null.</param>
/// <param name="body">What is sent.</param>
/// <param name="headers">Headers of the protocol.</param>
/// <param name="holdsMessages">Whether the server might quote a message: then its words are not repeated.</param>
internal sealed class WireCall(
    string operation, string? on, byte[] body, IReadOnlyDictionary<string, string> headers, bool holdsMessages)
    : AmazonWebServiceRequest
{
    public string Operation => operation;

    public string? On => on;

    public bool HoldsMessages => holdsMessages;

    public override string ToString() => operation;

    internal sealed class Marshaller(string service) : IMarshaller<IRequest, AmazonWebServiceRequest>
    {
        public IRequest Marshall(AmazonWebServiceRequest input)
        {
            var call = (WireCall)input;
            var request = new DefaultRequest(call, service) { HttpMethod = "POST", ResourcePath = "/", Content = call.Body };
            foreach (var (name, value) in call.Headers)
                request.Headers[name] = value;
            return request;
        }
    }

    private byte[] Body => body;

    private IReadOnlyDictionary<string, string> Headers => headers;
}

/// <summary>A call's parsed answer. (Core requires a constructor without parameters.)</summary>
internal sealed class WireAnswer<T> : AmazonWebServiceResponse
{
    public T Value { get; init; } = default!;
}
