namespace ClaimCheck.Aws.SimpleNotificationService;

/// <summary>Reads an answer with a protocol's own parser.</summary>
/// <param name="read">Throws <see cref="UnreadableException"/> for anything that is not of the protocol.</param>
/// <param name="readError">Never throws.</param>
internal sealed class WireUnmarshaller<T>(
    Func<ReadOnlyMemory<byte>, T> read, Func<ReadOnlyMemory<byte>, IWebResponseData, WireError> readError)
    : ResponseUnmarshaller
{
    public override AmazonWebServiceResponse Unmarshall(UnmarshallerContext input)
    {
        // Core treats a redirect as success. Messages must not be sent on to the address that it names.
        if (!input.ResponseData.IsSuccessStatusCode)
            throw UnmarshallException(input, innerException: null, input.ResponseData.StatusCode);
        try
        {
            return new WireAnswer<T> { Value = read(((BodyContext)input).Body) };
        }
        catch (UnreadableException e)
        {
            // With the status 200, Core's retry policy treats this as an answer that was damaged in transit.
            throw new AmazonUnmarshallingException(RequestId(input.ResponseData), lastKnownLocation: "", e, HttpStatusCode.OK);
        }
    }

    public override AmazonServiceException UnmarshallException(
        UnmarshallerContext input, Exception? innerException, HttpStatusCode statusCode)
    {
        var error = readError(((BodyContext)input).Body, input.ResponseData);
        // The inner exception has the answer's headers: Core corrects its clock by them.
        return new WireException(
            error with { RequestId = error.RequestId ?? RequestId(input.ResponseData) }, innerException, statusCode);
    }

    protected override UnmarshallerContext ConstructUnmarshallerContext(
        Stream responseStream, bool maintainResponseBody, IWebResponseData response, bool isException) =>
        new BodyContext(responseStream, response);

    protected override UnmarshallerContext ConstructUnmarshallerContext(
        Stream responseStream, bool maintainResponseBody, IWebResponseData response, bool isException,
        IRequestContext requestContext) =>
        new BodyContext(responseStream, response);

    private static string? RequestId(IWebResponseData response) =>
        response.IsHeaderPresent("x-amzn-RequestId") ? response.GetHeaderValue("x-amzn-RequestId") : null;
}
