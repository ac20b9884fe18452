using System.Text.Encodings.Web;

namespace ClaimCheck.Records;

/// <summary>How records are written as JSON: one line, characters as they are.</summary>
internal static class RecordJson
{
    public static readonly JavaScriptEncoder Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    public static readonly JsonWriterOptions Writer = new() { Encoder = Encoder, SkipValidation = true };
}
