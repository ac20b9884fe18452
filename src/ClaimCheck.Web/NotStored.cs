namespace ClaimCheck.Web;

/// <summary>Answers that nobody on the way may keep: they change from call to call, and some contain links.</summary>
public static class NotStored
{
    /// <summary>All answers of these calls have <c>Cache-Control: no-store</c>.</summary>
    public static TBuilder NoStore<TBuilder>(this TBuilder calls)
        where TBuilder : IEndpointConventionBuilder =>
        calls.AddEndpointFilter((context, next) =>
        {
            context.HttpContext.Response.Headers.CacheControl = "no-store";
            return next(context);
        });
}
