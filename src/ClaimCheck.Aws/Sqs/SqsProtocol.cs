using System.Text.Json;
using Amazon.Runtime.Internal.Transform;
using ClaimCheck.Aws.Wire;

namespace ClaimCheck.Aws.Sqs;

/// <summary>AWS JSON 1.0, as SQS speaks it. https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html</summary>
internal static class SqsProtocol
{
    private const string MediaType = "application/x-amz-json-1.0";

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 32 };

    public static WireCall Call(string operation, string? on, Action<Utf8JsonWriter> members, bool holdsMessages = false)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }
        var headers = new Dictionary<string, string> { ["Content-Type"] = MediaType, ["X-Amz-Target"] = "AmazonSQS." + operation };
        return new WireCall(operation, on, buffer.ToArray(), headers, holdsMessages);
    }

    /// <summary>A parser for answers that say something: nothing, or anything but an object, is no answer.</summary>
    public static Func<ReadOnlyMemory<byte>, T> Reading<T>(Func<JsonElement, T> read) => body =>
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(body, Strict);
        }
        catch (JsonException)
        {
            // Its text would quote what it stopped at.
            throw new UnreadableException(body.IsEmpty ? "it is empty" : "it is not whole JSON");
        }
        using (document)
        {
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new UnreadableException("it is not a JSON object");
            try
            {
                return read(document.RootElement);
            }
            catch (InvalidOperationException)
            {
                // What System.Text.Json says of text that is not Unicode, and of members of another type.
                throw new UnreadableException("its members are not of the protocol");
            }
        }
    };

    /// <summary>For answers that say nothing.</summary>
    public static bool Nothing(ReadOnlyMemory<byte> body) => true;

    public static WireError ReadError(ReadOnlyMemory<byte> body, IWebResponseData response)
    {
        // "AWS.SimpleQueueService.NonExistentQueue;Sender"
        var older = Header(response, "x-amzn-query-error")?.Split(';')[0];
        string? code = null, words = null;
        try
        {
            using var document = JsonDocument.Parse(body, Strict);
            code = Text(document.RootElement, "__type") ?? Text(document.RootElement, "code");
            words = Text(document.RootElement, "message") ?? Text(document.RootElement, "Message");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // A proxy's page, half an answer, or text that is not Unicode: the status tells what to do.
        }
        code ??= Header(response, "x-amzn-ErrorType");
        // "com.amazonaws.sqs#QueueDoesNotExist", and sometimes a ':' and an address after it.
        code = code?.Split(':')[0] is { Length: > 0 } name ? name[(name.LastIndexOf('#') + 1)..] : null;
        return new WireError(Short(code) ?? Short(older), words, RequestId: null, Short(older));
    }

    public static string RequiredText(JsonElement element, string name) =>
        Text(element, name) ?? throw new UnreadableException($"it has no {name}");

    public static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    /// <summary>A list; what is left out, or null, is an empty one.</summary>
    public static IEnumerable<JsonElement> Items(JsonElement element, string name)
    {
        if (!element.TryGetProperty(name, out var list) || list.ValueKind == JsonValueKind.Null)
            return [];
        return list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : throw new UnreadableException($"its {name} is not a list");
    }

    /// <summary>An object of texts; what is left out is an empty one, what is not text is skipped.</summary>
    public static Dictionary<string, string> Texts(JsonElement element, string name)
    {
        var texts = new Dictionary<string, string>();
        if (element.TryGetProperty(name, out var all) && all.ValueKind == JsonValueKind.Object)
        {
            foreach (var one in all.EnumerateObject())
            {
                if (one.Value.ValueKind == JsonValueKind.String)
                    texts[one.Name] = one.Value.GetString()!;
            }
        }
        return texts;
    }

    private static string? Short(string? code) =>
        code is { Length: > 0 and <= 128 } ? code.Replace("AWS.SimpleQueueService.", "", StringComparison.Ordinal) : null;

    private static string? Header(IWebResponseData response, string name) =>
        response.IsHeaderPresent(name) && response.GetHeaderValue(name) is { Length: > 0 } value ? value : null;
}
