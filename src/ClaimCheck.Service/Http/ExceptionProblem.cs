namespace ClaimCheck.Service.Http;

/// <summary>The answer for an exception of a feature. Each feature registers its own.</summary>
/// <param name="Exception">Its type; derived ones get the same answer.</param>
/// <param name="Code">One of the problem catalogue.</param>
/// <param name="RetryAfter">When another try may succeed.</param>
internal sealed record ExceptionProblem(Type Exception, string Code, TimeSpan? RetryAfter);
