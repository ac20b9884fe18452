namespace ClaimCheck.Adapter.Http;

/// <summary>The caller: the name of its key.</summary>
internal sealed record ApiCaller(string Name)
{
    /// <summary>The caller of an adapter that is configured without API keys.</summary>
    public static ApiCaller Anyone { get; } = new("anyone");

    public static ValueTask<ApiCaller> BindAsync(HttpContext context) =>
        ValueTask.FromResult((ApiCaller?)context.Items[typeof(ApiCaller)]
            ?? throw new InvalidOperationException("The caller was not authenticated."));
}
