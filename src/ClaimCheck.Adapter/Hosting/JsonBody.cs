using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Records;
using ClaimCheck.Web;
using Microsoft.Net.Http.Headers;

namespace ClaimCheck.Adapter.Hosting;

/// <summary>A JSON object sent as a body; at most 1 MiB, which the server itself enforces.</summary>
internal static class JsonBody
{
    /// <summary>Reads the body.</summary>
    /// <returns>The object, or the refusal.</returns>
    public static async Task<(JsonElement? Body, ProblemResult? Refusal)> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || !type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || (type.Charset.HasValue && !HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase)))
        {
            return (null, Problems.Of(ProblemCodes.UnsupportedMediaType, Wanted.MediaTypes(request.HttpContext)));
        }

        try
        {
            var (body, _) = await StrictJson.ReadAsync(request.Body, values: null, cancellationToken);
            return body.ValueKind == JsonValueKind.Object ? (body, null) : (null, Problems.Of(ProblemCodes.MalformedJson, "The body must be a JSON object."));
        }
        catch (JsonException e)
        {
            return (null, Problems.Of(ProblemCodes.MalformedJson, $"The body is not well-formed JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine})."));
        }
        catch (InvalidOperationException)
        {
            return (null, Problems.Of(ProblemCodes.MalformedJson, "The body holds text that is not well-formed Unicode."));
        }
        catch (FormatException e)
        {
            return (null, Problems.Of(e is JsonTooDeepException ? ProblemCodes.NestedTooDeep : ProblemCodes.MalformedJson, $"The body {e.Message}."));
        }
    }
}
