using System.Text.Json;
using ClaimCheck.Records;
using Microsoft.Net.Http.Headers;

namespace ClaimCheck.Web;

/// <summary>A JSON object sent as a body; at most 1 MiB, which the server itself enforces.</summary>
public static class JsonBody
{
    /// <summary>Reads the body.</summary>
    /// <returns>The object, or the refusal.</returns>
    public static async Task<(JsonElement? Body, ProblemResult? Refusal)> ReadAsync(
        HttpRequest request, CancellationToken cancellationToken)
    {
        var (body, _, refusal) = await ReadAsync(request, values: null, cancellationToken);
        return (body, refusal);
    }

    /// <summary>Reads a body that contains values of records.</summary>
    /// <param name="request">The request.</param>
    /// <param name="values">The field with the values, which its own reader checks.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <returns>The object without them and the array of them, where there is one; or the refusal.</returns>
    public static async Task<(JsonElement? Body, byte[]? Values, ProblemResult? Refusal)> ReadAsync(
        HttpRequest request, string? values, CancellationToken cancellationToken)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || !type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || (type.Charset.HasValue
                && !HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase)))
        {
            return (null, null, Problems.Of(ProblemCodes.UnsupportedMediaType, Wanted.MediaTypes(request.HttpContext)));
        }

        try
        {
            var (body, items) = await StrictJson.ReadAsync(request.Body, values, cancellationToken);
            return body.ValueKind == JsonValueKind.Object
                ? (body, items, null)
                : Refused(ProblemCodes.MalformedJson, "must be a JSON object");
        }
        catch (JsonException e)
        {
            return Refused(
                ProblemCodes.MalformedJson, $"is not well-formed JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine})");
        }
        catch (InvalidOperationException)
        {
            return Refused(ProblemCodes.MalformedJson, "holds text that is not well-formed Unicode");
        }
        catch (FormatException e)
        {
            return Refused(e is JsonTooDeepException ? ProblemCodes.NestedTooDeep : ProblemCodes.MalformedJson, e.Message);
        }

        static (JsonElement?, byte[]?, ProblemResult?) Refused(string code, string fault) =>
            (null, null, Problems.Of(code, $"The body {fault}."));
    }
}
