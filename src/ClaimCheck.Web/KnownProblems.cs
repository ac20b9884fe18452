using System.Text.Json;

namespace ClaimCheck.Web;

/// <summary>What a code means, and what to do about it.</summary>
public sealed record ExplainedProblem(string Code, int Status, string Title, string Meaning, string Remedy = "");

/// <summary>The codes of a program's error answers. A program registers one of these in its container.</summary>
/// <param name="all">Each code once.</param>
/// <param name="typeOf">The URI of a code, as it is now.</param>
public sealed class KnownProblems(IEnumerable<ExplainedProblem> all, Func<string, string> typeOf)
{
    private readonly Dictionary<string, ExplainedProblem> byCode = all.ToDictionary(
        problem => problem.Code, StringComparer.Ordinal);

    /// <summary>In the order in which they were given.</summary>
    public IReadOnlyCollection<ExplainedProblem> All => byCode.Values;

    /// <summary>Finds a code; null where the program has none of that name.</summary>
    public ExplainedProblem? Find(string code) => byCode.GetValueOrDefault(code);

    /// <summary>The document of an answer.</summary>
    public Problem Explain(Refused why)
    {
        ArgumentNullException.ThrowIfNull(why);
        var explained = Find(why.Code)
            ?? throw new ArgumentOutOfRangeException(nameof(why), why.Code, "Not a problem code of this program.");
        return new Problem
        {
            Type = typeOf(why.Code),
            Title = explained.Title,
            Status = explained.Status,
            Code = why.Code,
            Detail = why.Detail ?? explained.Meaning,
            Errors = why.Errors,
        };
    }

    /// <summary>The document for a bare status, as it is sent.</summary>
    public byte[] ToUtf8(int status) =>
        JsonSerializer.SerializeToUtf8Bytes(Explain(new(ForStatus(status))), ClaimCheckJson.Options);

    /// <summary>The code for a bare status that routing or the server has set.</summary>
    public string ForStatus(int status)
    {
        var code = status switch
        {
            StatusCodes.Status401Unauthorized => ProblemCodes.Unauthorized,
            StatusCodes.Status404NotFound => ProblemCodes.NotFound,
            StatusCodes.Status405MethodNotAllowed => ProblemCodes.MethodNotAllowed,
            StatusCodes.Status406NotAcceptable => ProblemCodes.NotAcceptable,
            StatusCodes.Status412PreconditionFailed => ProblemCodes.PreconditionFailed,
            StatusCodes.Status413PayloadTooLarge => ProblemCodes.BodyTooLarge,
            StatusCodes.Status415UnsupportedMediaType => ProblemCodes.UnsupportedMediaType,
            StatusCodes.Status416RangeNotSatisfiable => ProblemCodes.RangeNotSatisfiable,
            StatusCodes.Status421MisdirectedRequest => ProblemCodes.MisdirectedRequest,
            _ => null,
        };
        return code is not null && byCode.ContainsKey(code) ? code
            : status is >= 400 and < 500 ? ProblemCodes.InvalidRequest
            : ProblemCodes.InternalError;
    }
}
