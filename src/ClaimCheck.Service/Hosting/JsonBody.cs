using System.Text.Json;
using ClaimCheck.Contracts;
using Microsoft.Net.Http.Headers;

namespace ClaimCheck.Service.Hosting;

/// <summary>A JSON object sent as a body; at most 1 MiB, which the server itself enforces.</summary>
internal static class JsonBody
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 32 };

    /// <summary>Reads the body.</summary>
    /// <returns>The object, or the refusal.</returns>
    public static async Task<(JsonElement? Body, ProblemResult? Refusal)> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || !type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || (type.Charset.HasValue && !type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)))
        {
            return (null, Problems.Of(ProblemCodes.UnsupportedMediaType));
        }

        try
        {
            using var document = await JsonDocument.ParseAsync(request.Body, Strict, cancellationToken);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? (document.RootElement.Clone(), null)
                : (null, Problems.Of(ProblemCodes.MalformedJson, "The body must be a JSON object."));
        }
        catch (JsonException e)
        {
            return (null, Problems.Of(ProblemCodes.MalformedJson, $"The body is not well-formed JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine})."));
        }
        catch (InvalidOperationException)
        {
            // Text that is no valid Unicode is found only when it is read.
            return (null, Problems.Of(ProblemCodes.MalformedJson, "The body is not well-formed UTF-8."));
        }
    }
}
