namespace ClaimCheck.Service.Http;

/// <summary>How an exception that a feature lets through is answered. Each feature registers its own.</summary>
/// <param name="Exception">Its type; derived ones are answered alike.</param>
/// <param name="Code">One of the problem catalogue.</param>
/// <param name="RetryAfter">When another try may succeed.</param>
internal sealed record ExceptionProblem(Type Exception, string Code, TimeSpan? RetryAfter);
