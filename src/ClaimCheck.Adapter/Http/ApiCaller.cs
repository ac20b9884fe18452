namespace ClaimCheck.Adapter.Http;

/// <summary>The caller: the name of its key.</summary>
internal sealed record ApiCaller(string Name)
{
    /// <summary>The caller where there are no keys.</summary>
    public static ApiCaller Anyone { get; } = new("anyone");

    public static ValueTask<ApiCaller> BindAsync(HttpContext context) =>
        ValueTask.FromResult((ApiCaller?)context.Items[typeof(ApiCaller)] ?? throw new InvalidOperationException("The caller was not authenticated."));
}
