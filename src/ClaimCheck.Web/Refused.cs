namespace ClaimCheck.Web;

/// <summary>Why something is not done, as the domain says it. An endpoint makes the answer of it:
/// <see cref="Problems.Of(Refused)"/>.</summary>
/// <param name="Code">Of <see cref="ProblemCodes"/>.</param>
/// <param name="Detail">For the caller; null where the code's meaning is enough.</param>
/// <param name="Errors">By field or parameter.</param>
/// <param name="RetryAfter">When to ask again.</param>
public sealed record Refused(
    string Code, string? Detail = null, IReadOnlyDictionary<string, string[]>? Errors = null, TimeSpan? RetryAfter = null)
{
    // A hostile body with a million wrong fields must not produce an answer of that size.
    private const int MostErrors = 50;

    /// <summary>Nothing has the given name.</summary>
    public static Refused NotFound(string what) => new(ProblemCodes.NotFound, $"The {what} was not found.");

    /// <summary>Fields of the request don't fit.</summary>
    public static Refused Invalid(IReadOnlyDictionary<string, string[]> errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        return errors.Count <= MostErrors
            ? new(ProblemCodes.ValidationFailed, "The request is understood, but its fields don't fit: see errors.", errors)
            : new(
                ProblemCodes.ValidationFailed,
                $"The request is understood, but {errors.Count} of its fields don't fit: errors shows {MostErrors} of them.",
                errors.Take(MostErrors).ToDictionary(StringComparer.Ordinal));
    }
}
