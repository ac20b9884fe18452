using System.Data.Common;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.RegularExpressions;

namespace ClaimCheck.Contracts;

/// <summary>
/// An unexpected exception, as a log may contain it: types, SQLSTATEs and stacks of all inner exceptions. A message is kept only
/// where it is this project's own, or of a kind that only mentions code: messages of drivers and parsers quote values, and some
/// of clients quote links.
/// </summary>
internal sealed partial class Defect : Exception
{
    private readonly string text;

    private Defect(Exception exception, string text)
        : base(Line(exception)) =>
        (this.text, StackTrace) = (text, exception.StackTrace);

    public override string? StackTrace { get; }

    public static Defect Of(Exception exception) =>
        exception as Defect
        ?? new(exception, string.Join("\n ---> ", Chain(exception).Select(e => $"{Line(e)}\n{e.StackTrace}".TrimEnd('\n'))));

    public override string ToString() => text;

    private static string Line(Exception e) =>
        Said(e) is { } said ? $"{e.GetType().FullName}: {said}" : $"{e.GetType().FullName}";

    private static string? Said(Exception e)
    {
        if (e is DbException { SqlState: { } state })
            return $"SQLSTATE {state}";
        var isSafe = e.GetType().FullName!.StartsWith("ClaimCheck.", StringComparison.Ordinal)
            || e is NullReferenceException or InvalidCastException or IndexOutOfRangeException or NotSupportedException
                or OverflowException or InvalidOperationException or OperationCanceledException or TimeoutException
                or IOException or UnauthorizedAccessException or SocketException or HttpRequestException
                or AuthenticationException;
        return isSafe ? Signed().Replace(e.Message, "?[redacted]") : null;
    }

    private static IEnumerable<Exception> Chain(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
            yield return exception;
    }

    // The secret of a link is behind its question mark.
    [GeneratedRegex(@"(?<=https?://[^\s?]{0,2000})\?\S*", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Signed();
}
