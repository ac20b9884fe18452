using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Web;
using Microsoft.Net.Http.Headers;

namespace ClaimCheck.Adapter.Hosting;

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
            || (type.Charset.HasValue && !HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase)))
        {
            return (null, Problems.Of(ProblemCodes.UnsupportedMediaType, Wanted.MediaTypes(request.HttpContext)));
        }

        try
        {
            using var document = await JsonDocument.ParseAsync(request.Body, Strict, cancellationToken);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                return (null, Problems.Of(ProblemCodes.MalformedJson, "The body must be a JSON object."));
            // Halves of surrogate pairs and invalid UTF-8 are found only when texts are read.
            Read(document.RootElement);
            return (document.RootElement.Clone(), null);
        }
        catch (JsonException e)
        {
            return (null, Problems.Of(ProblemCodes.MalformedJson, $"The body is not well-formed JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine})."));
        }
        catch (InvalidOperationException)
        {
            return (null, Problems.Of(ProblemCodes.MalformedJson, "The body holds text that is not well-formed Unicode."));
        }
    }

    private static void Read(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                value.GetString();
                break;
            case JsonValueKind.Array:
                foreach (var item in value.EnumerateArray())
                    Read(item);
                break;
            case JsonValueKind.Object:
                foreach (var property in value.EnumerateObject())
                {
                    _ = property.Name;
                    Read(property.Value);
                }

                break;
        }
    }
}
